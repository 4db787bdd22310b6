//! Connection strings of storage accounts. Texts of keys never appear in errors.
//!
//! Source: Azure Storage, "Configure Azure Storage connection strings".

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lakeward_api::config::Password;
use url::Url;

use crate::azure::{Identity, sas_pairs};

/// An account and who writes to it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) account: String,
    /// Where its containers are.
    pub(super) url: String,
    pub(super) identity: Identity,
}

impl Connection {
    /// Parses `name=value` pairs that semicolons separate.
    ///
    /// # Errors
    /// What is wrong, without values.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut values: HashMap<String, &str> = HashMap::new();
        for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return Err("not a connection string: name=value;name=value".to_owned());
            };
            values.insert(name.trim().to_lowercase(), value.trim());
        }
        let value = |name: &str| values.get(name).copied().filter(|value| !value.is_empty());
        if value("usedevelopmentstorage").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err("UseDevelopmentStorage is not supported by Lakeward; name the account, its key and \
                        BlobEndpoint"
                .to_owned());
        }
        let endpoint = value("blobendpoint").map(endpoint).transpose()?;
        let identity = match (value("accountkey"), value("sharedaccesssignature")) {
            (Some(key), None) if BASE64_STANDARD.decode(key).is_ok() => Identity::Key(Password::new(key)),
            (Some(_), None) => return Err("AccountKey is not a key in base64".to_owned()),
            (None, Some(token)) if sas_pairs(token).is_some() => Identity::Sas(Password::new(token)),
            (None, Some(_)) => return Err("SharedAccessSignature is not one (sv=…&sig=…)".to_owned()),
            (Some(_), Some(_)) => {
                return Err("AccountKey and SharedAccessSignature cannot both be there".to_owned());
            }
            (None, None) => return Err("AccountKey or SharedAccessSignature is missing".to_owned()),
        };
        let account = value("accountname").map(str::to_owned);
        let account = account.or_else(|| endpoint.as_ref().and_then(account_of));
        let account = account.ok_or("AccountName is missing")?;
        let url = match endpoint {
            Some(endpoint) => endpoint.as_str().trim_end_matches('/').to_owned(),
            None => {
                let scheme = value("defaultendpointsprotocol").unwrap_or("https");
                let suffix = value("endpointsuffix").unwrap_or("core.windows.net");
                endpoint_of(scheme, &account, suffix)?
            }
        };
        Ok(Self { account, url, identity })
    }
}

fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| "BlobEndpoint is not an address of HTTP".to_owned())
}

fn endpoint_of(scheme: &str, account: &str, suffix: &str) -> Result<String, String> {
    let text = format!("{}://{account}.blob.{suffix}", scheme.to_lowercase());
    let url = endpoint(&text).map_err(|_| {
        "DefaultEndpointsProtocol, AccountName and EndpointSuffix make no address of HTTP".to_owned()
    })?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The account that an endpoint names: the first part of its host.
fn account_of(endpoint: &Url) -> Option<String> {
    let (account, rest) = endpoint.host_str()?.split_once('.')?;
    rest.starts_with("blob.").then(|| account.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Account, address and whether there is a key.
    fn read(text: &str) -> (String, String, bool) {
        let Connection { account, url, identity } = Connection::parse(text).unwrap();
        (account, url, matches!(identity, Identity::Key(_)))
    }

    #[test]
    fn connection_strings_name_account_address_and_identity() {
        let usual = "DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=c2VjcmV0PT0=;\
                     EndpointSuffix=core.windows.net";
        let azure = "https://lake.blob.core.windows.net";
        assert_eq!(read(usual), ("lake".to_owned(), azure.to_owned(), true));
        let own = "AccountName=dev;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:10000/dev/";
        assert_eq!(read(own), ("dev".to_owned(), "http://127.0.0.1:10000/dev".to_owned(), true));
        let signature =
            "BlobEndpoint=https://lake.blob.core.windows.net/;SharedAccessSignature=sv=2021&sig=abc%3D;";
        assert_eq!(read(signature), ("lake".to_owned(), azure.to_owned(), false));
        let china = "AccountName=lake;AccountKey=c2VjcmV0;EndpointSuffix=core.chinacloudapi.cn";
        assert_eq!(read(china).1, "https://lake.blob.core.chinacloudapi.cn");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secret() {
        let cases = [
            ("secret", "not a connection string"),
            ("AccountName=lake", "AccountKey or SharedAccessSignature is missing"),
            ("AccountName=lake;AccountKey=!secret!", "not a key in base64"),
            ("AccountKey=c2VjcmV0", "AccountName is missing"),
            ("AccountName=lake;SharedAccessSignature=secret", "SharedAccessSignature is not one"),
            ("AccountName=lake;AccountKey=c2VjcmV0;BlobEndpoint=secret", "not an address of HTTP"),
            ("AccountName=a b;AccountKey=c2VjcmV0", "make no address"),
            ("UseDevelopmentStorage=true", "not supported by Lakeward"),
        ];
        for (text, expected) in cases {
            let problem = Connection::parse(text).unwrap_err();
            assert!(problem.contains(expected) && !problem.contains("secret"), "{text}: {problem}");
        }
    }
}
