//! Objects of others in the same bucket.

use super::proxy::answer;
use super::*;

/// The listing of a bucket with an object of this name.
fn listing(name: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>b</Name><Prefix></Prefix>\
         <KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents>\
         <Key>{name}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>&quot;1&quot;</ETag>\
         <Size>1</Size></Contents></ListBucketResult>"
    )
}

#[tokio::test]
async fn names_that_no_sink_makes_do_not_hide_the_bucket() {
    let bench = Bench::new("foreign", &[]);
    for name in ["a.json", "raw//2024/a.json", "../a", "a/./b"] {
        bench.proxy.next("GET", answer("200 OK", &listing(name)));
        bench.store.check_bucket().await.unwrap_or_else(|err| panic!("{name}: {err}"));
    }
    assert_eq!(bench.proxy.heads_with("list-type=2").len(), 4);
}
