//! The one table of what the Java sink can do and this one cannot yet. A key set to such a value is a
//! validation error: nothing is ever silently ignored that would change what is stored.

/// Keys and the values that cannot be honoured.
pub(crate) const UNSUPPORTED: &[(&str, Unsupported)] = &[
    ("allow.optional.map.keys", Unsupported::OneOf(&["true"])),
    ("parquet.codec", Unsupported::OneOf(&["brotli", "lzo"])),
    ("s3.object.tagging", Unsupported::OneOf(&["true"])),
    ("s3.object.tagging.key.value.pairs", Unsupported::NotEmpty),
    ("s3.credentials.provider.class", Unsupported::NotOneOf(DEFAULT_PROVIDERS)),
    ("s3.ssea.name", Unsupported::OneOf(&["aws:kms:dsse"])),
    ("s3.sse.customer.key", Unsupported::NotEmpty),
    ("s3.acl.canned", Unsupported::NotEmpty),
    ("s3.wan.mode", Unsupported::OneOf(&["true"])),
    ("s3.proxy.user", Unsupported::NotEmpty),
    ("s3.proxy.password", Unsupported::NotEmpty),
    ("behavior.on.null.values", Unsupported::OneOf(&["write"])),
    ("s3.send.digest", Unsupported::OneOf(&["true"])),
    ("store.kafka.keys", Unsupported::OneOf(&["true"])),
    ("store.kafka.headers", Unsupported::OneOf(&["true"])),
];

/// Which values of a key cannot be honoured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unsupported {
    /// Any value.
    NotEmpty,
    /// Every value but these.
    NotOneOf(&'static [&'static str]),
    /// These values, in any case.
    OneOf(&'static [&'static str]),
}

impl Unsupported {
    /// True when `value` cannot be honoured.
    pub(crate) fn covers(self, value: &str) -> bool {
        match self {
            Self::NotEmpty => !value.is_empty(),
            Self::NotOneOf(supported) => !supported.contains(&value),
            Self::OneOf(values) => values.iter().any(|one| one.eq_ignore_ascii_case(value)),
        }
    }
}

/// Providers that stand for the default credentials chain.
const DEFAULT_PROVIDERS: &[&str] = &[
    "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
    "com.amazonaws.auth.DefaultAWSCredentialsProviderChain",
];
