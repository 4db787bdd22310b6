//! Values that are recommended for keys of S3 where the list is made, not written down at the key.
//!
//! Source: `S3SinkConnectorConfig`: `RegionRecommender`, `CompressionLevelValidator`,
//! `KEYS_FORMAT_CLASS_RECOMMENDER`, `HEADERS_FORMAT_CLASS_RECOMMENDER`.

use lakeward_api::config::ConfigDef;

/// Adds them to the definition of the S3 sink, whose key `format.class` has all formats.
pub(super) fn add(def: &mut ConfigDef) {
    let formats = def.key("format.class").expect("every storage sink has it").recommended_values.clone();
    let for_headers = formats.iter().filter(|class| !class.ends_with("ByteArrayFormat")).cloned().collect();
    let regions = REGIONS.split(", ").map(str::to_owned).collect();
    // Java's list ends before 9, which it takes all the same.
    let levels = (-1..9).map(|level| level.to_string()).collect();
    for (name, values) in [
        ("keys.format.class", formats),
        ("headers.format.class", for_headers),
        ("s3.region", regions),
        ("s3.compression.level", levels),
    ] {
        let mut key = def.key(name).expect("the S3 sink has it").clone();
        key.recommended_values = values;
        def.define(key);
    }
}

/// The regions of the AWS SDK 2.29.34, in its order.
pub(crate) const REGIONS: &str = "ap-south-2, ap-south-1, eu-south-1, eu-south-2, us-gov-east-1, \
    me-central-1, il-central-1, ca-central-1, eu-central-1, us-iso-west-1, eu-central-2, eu-isoe-west-1, \
    us-west-1, us-west-2, af-south-1, eu-north-1, eu-west-3, eu-west-2, eu-west-1, \
    ap-northeast-3, ap-northeast-2, ap-northeast-1, me-south-1, sa-east-1, ap-east-1, \
    cn-north-1, ca-west-1, us-gov-west-1, ap-southeast-1, ap-southeast-2, us-iso-east-1, \
    ap-southeast-3, ap-southeast-4, ap-southeast-5, us-east-1, us-east-2, cn-northwest-1, \
    us-isob-east-1, aws-global, aws-cn-global, aws-us-gov-global, aws-iso-global, \
    aws-iso-b-global";
