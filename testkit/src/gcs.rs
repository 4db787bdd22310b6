//! fake-gcs-server: a server of Google Cloud Storage in memory. It asks nobody who they are.

use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context;
use object_store::gcp::GoogleCloudStorageBuilder;
use serde_json::json;

use crate::child::{Child, RunFolder};
use crate::install;
use crate::objects::Objects;
use crate::rest::RestClient;
use crate::wait::ready;

const START_PATIENCE: Duration = Duration::from_secs(30);

/// A running server; it ends with this value, or with the test process when shared.
#[derive(Debug)]
pub struct FakeGcs {
    rest: RestClient,
    // Both end with this value.
    _child: Child,
    _folder: RunFolder,
}

impl FakeGcs {
    /// Starts a server on a free port with no bucket.
    pub fn start() -> anyhow::Result<Self> {
        let folder = RunFolder::new("gcs")?;
        let port = folder.free_port()?;
        let host = format!("127.0.0.1:{port}");
        let mut command = Command::new(install::fake_gcs_server()?);
        command
            .args(["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-log-level", "warn"])
            .args(["-port", &port.to_string(), "-public-host", &host]);
        let mut child = Child::start("fake-gcs-server", &command, &folder)?;
        let rest = RestClient::new(port);
        ready("the GCS server", START_PATIENCE, || {
            child.assert_running()?;
            Ok(rest.get("/storage/v1/b").ok().filter(|answer| answer.status == 200).map(|_| ()))
        })?;
        Ok(Self { rest, _child: child, _folder: folder })
    }

    /// The server that all tests of this process share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<FakeGcs> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().expect("fake-gcs-server starts"))
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.rest.authority())
    }

    /// Creates a bucket with a name no other test uses.
    pub fn create_bucket(&self, stem: &str) -> anyhow::Result<Objects> {
        let name = crate::unique(stem);
        self.rest.post("/storage/v1/b", &json!({ "name": name }))?.expect_status(200);
        let client = GoogleCloudStorageBuilder::new()
            .with_base_url(&self.endpoint())
            .with_bucket_name(&name)
            .with_service_account_key(service_account().to_string())
            .with_client_options(object_store::ClientOptions::new().with_allow_http(true))
            .build()
            .context("creating the GCS client")?;
        Objects::new(client, name)
    }
}

/// The key of a service account that exists nowhere, as Google gives keys out.
pub fn service_account() -> serde_json::Value {
    json!({
        "type": "service_account",
        "project_id": "lakeward-test",
        "private_key_id": "1",
        "private_key": PRIVATE_KEY,
        "client_email": "lake@lakeward-test.iam.gserviceaccount.com",
    })
}

/// It opens nothing: no server knows its other half.
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDc+PpQhGFtic0q
3Jm2u/nZn5aESK0bqWqcY4lfDMnZX/6AkupzG3V9ZXdZHlJdqp+tdsqZ0hkTFt/3
rNLNndePQS7490em1H5Jt3QtJ2JD4xzhjej+IlhABnOIvzYU0ZOToD5NsyTqcwUE
+LZG1UetudlRRAv+R9YrfHOEPVVDilBpC/CBCLjeKyBO3IxW0aaLlG9ZnD1sWjSc
n0MMHDZ3bhOkE4gEZqOTfLyujZYvmiH8zx1xedGnuDy6+Ypsfc2hmTnoAAHMEDLU
dF7y6wCqRvUqXwLY3h5vjqOL3eCaUCyzvR9qPBQl6vcLLlrX6MkHlYlda6RMez84
1W83Y0pXAgMBAAECggEAGqkDcmF2a8PbeBdjiFOHooUJoO4vzI2VKkcsFMazN8HI
L/UJyld+xmFOk/b/kwN5/nC9ou9hTRdOcFBuopYvor4Hj8wt3ef3UKeMocIFrhEh
s+juOnMkWJ0upUoEmWBrwLztp2w8wPidm2ryevtSiZhJqu9dzxEVuutp+IN53QsC
oZuM2120CPdwGYytVUCHGbwqBngHwzcC1h1U/STuZXyoQatngqGFcx4lns6FJTiJ
UbylMbxoSd+j4q17B6khe7NqVoaK02F+ZGnl6jr57hmQWhhG/Rtb+H1FCHvGufyd
mRnOqS00ckwU3F88siBY22olW6q3ivs3byphWq5T4QKBgQDwGTVTJEHdW0gxOwGE
Rb5HDd6NDnNt9CZlPI52B0tlW1DPF7NzxQfL7anqFu4ji7u0IsD/z+XfgnnXdH3K
i+HvvOaNgZAmCDfT+o85vZIPhp714ZuCCgVbYPPLVQSAdTsxxIQMloXXIzFz8SE1
LpLRAmO4sF5LJQSwOLjACSGpRwKBgQDrm379O0gPABpcL7TdErs7rJ2DJrv0HJWm
Wa6ZlvcZv7XdrZJzbtVOD1Gd8yV0hr2MspbofTttlmbG2PE4cULkTy/nbJejPQUG
Xpixr3E4Es31xtEhgwrYfr+0URzPCqbZZtcs02R3wewkxlKoMPWFKBiiONGK1EvG
pJ9WqWTecQKBgGuNDzsAGdT7Z9pNsT88MqEHkHKlT4WogW6F8tbiK57qicdKuaMZ
VoW+H4fx35jipiFqFARDb5hwjP27fAG4KWxHtQscR6MRuVhme7QEvCHiTuCbwBo/
POkTBAJIQiz81phTjEdLQgb+B9AE6rg09aVUqbD4qDSHD5OUxQWY0ZBPAoGBAKnD
sy7YJkXYtyWxokqhEpQe/qffoxJz/kiM2kgFBStifbKrPJk8RSon05FR/60E4VOd
4yrGAaom8wtYigc3ZRGJFWVVU7XlY9eBFdkCJzxWIF110n6pI4l3Wr6cq3trm2mO
toCwGPZJntOoqypRjLdTetx4wFOeQLNzLvSMvgehAoGAPXrcmZJH9840m6uiHsYE
UiwDChZjvPvxoVd5/JP8y0ijWknc9Mzscx2TOm1i8Ojan7tcFO5fVpHf+pV2S3sg
YrvKA3SIHGMD70Ohb1trhaPq5dHW1lecVLJ9CHfF2Fo/xuOQYOTJed9NXeq0HxCc
gRGtV7wwIa5AhkVXSQSU+sY=
-----END PRIVATE KEY-----
";
