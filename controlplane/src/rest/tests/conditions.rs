//! Two clients that edit one connector: the second one is told that the first one was there.

use super::rig::{Reply, Rig};

const CONFIG: &str = r#"{"connector.class":"ProbeSink","tasks.max":"2","topics":"t","flush.size":"3"}"#;
const OTHER: &str = r#"{"connector.class":"ProbeSink","tasks.max":"2","topics":"t","flush.size":"4"}"#;

async fn change(rig: &Rig, method: &str, condition: &str, body: &str) -> Reply {
    let headers = format!("Content-Type: application/json\r\n{condition}\r\n");
    rig.send(method, "/connectors/a/config", &headers, body).await
}

fn tag(reply: &Reply) -> String {
    reply.header("etag").unwrap_or_else(|| panic!("no tag: {reply:?}")).to_owned()
}

#[tokio::test]
async fn the_second_of_two_editors_loses_nothing_silently() {
    let rig = Rig::distributed().await;
    let created = rig.create("a").await;
    let read = rig.get("/connectors/a/config").await;
    assert_eq!(tag(&read), tag(&created));
    assert_eq!(tag(&rig.get("/connectors/a").await), tag(&read));
    let condition = format!("If-Match: {}", tag(&read));
    let first = change(&rig, "PUT", &condition, OTHER).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_ne!(tag(&first), tag(&read));
    for (method, body) in [("PUT", CONFIG), ("PATCH", r#"{"flush.size":"9"}"#)] {
        let second = change(&rig, method, &condition, body).await;
        assert_eq!(second.status, 412, "{second:?}");
        assert_eq!(second.json()["error_code"], 412);
        assert!(second.body.contains("Read it again"), "{second:?}");
    }
    let deleted = rig.send("DELETE", "/connectors/a", &format!("{condition}\r\n"), "").await;
    assert_eq!(deleted.status, 412, "{deleted:?}");
    assert_eq!(rig.get("/connectors/a/config").await.json()["flush.size"], "4");
    // What was put back is what was read: nothing would be lost.
    assert_eq!(change(&rig, "PUT", &format!("If-Match: \"x\", {}", tag(&first)), CONFIG).await.status, 200);
    let deleted = rig.send("DELETE", "/connectors/a", &format!("{condition}\r\n"), "").await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
}

#[tokio::test]
async fn a_put_can_insist_on_creating_or_on_replacing() {
    let rig = Rig::distributed().await;
    let absent = change(&rig, "PUT", "If-Match: *", CONFIG).await;
    assert_eq!(absent.status, 412, "{absent:?}");
    assert_eq!(rig.get("/connectors").await.body, "[]");
    assert_eq!(change(&rig, "PUT", "If-None-Match: *", CONFIG).await.status, 201);
    assert_eq!(change(&rig, "PUT", "If-None-Match: *", CONFIG).await.status, 412);
    assert_eq!(change(&rig, "PUT", "If-Match: *", CONFIG).await.status, 200);
    assert_eq!(change(&rig, "PUT", "If-Match: W/\"x\"", CONFIG).await.status, 412);
    assert_eq!(change(&rig, "PUT", "X-Other: 1", CONFIG).await.status, 200, "as in Java");
}

#[tokio::test]
async fn the_order_of_entries_is_no_other_configuration() {
    let rig = Rig::distributed().await;
    let created = change(&rig, "PUT", "If-None-Match: *", CONFIG).await;
    let turned = r#"{"flush.size":"3","topics":"t","tasks.max":"2","connector.class":"ProbeSink"}"#;
    assert_eq!(tag(&change(&rig, "PUT", "If-Match: *", turned).await), tag(&created));
}
