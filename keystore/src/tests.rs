//! Stores that other tools wrote, each with a self-signed certificate of `localhost`; the password is
//! `changeit`. One certificate is in all PKCS12 stores, another in all JKS stores.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Contents, Passwords, pkcs12};

/// Key and certificate, by `keytool` of JDK 17.0.15.
const JDK_KEY: &str = "MIID9gIBAzCCA6AGCSqGSIb3DQEHAaCCA5EEggONMIIDiTCCASAGCSqGSIb3DQEHAaCCAREEggEN\
    MIIBCTCCAQUGCyqGSIb3DQEMCgECoIG9MIG6MGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDAr\
    BBQb8DLerC4MALE/E0cPAlxqUEBp2QICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoE\
    EJr7WvuLBMYqOx7OMaQ2zLwEUEbJnFimo0KRp3OvJVnCTLIziiVw2TRr0+4tWVlEPNTmVBbAOFEZ\
    NpNj59LFDmIUCCDYc3Qo6OtBQDKELA6TaiUoGZic2dZFCRU6/h8oe7rUMTYwEQYJKoZIhvcNAQkU\
    MQQeAgBrMCEGCSqGSIb3DQEJFTEUBBJUaW1lIDE3OTUyNDkxMTU3NjYwggJhBgkqhkiG9w0BBwag\
    ggJSMIICTgIBADCCAkcGCSqGSIb3DQEHATBmBgkqhkiG9w0BBQ0wWTA4BgkqhkiG9w0BBQwwKwQU\
    W8Q9/7+CcoAyKpeba7PsdnayaRYCAicQAgEgMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBCb\
    sKG2nX781tLka0nxPYQLgIIB0ByYlBXNwhmiRid4IqNQm/CK+fJ0Yko5CzWWKllaGuKLCqHoVTCI\
    RkYlbIgceEIywHAjH7udb2e6fD2krp4q1G5y5a4DoU/djap1yZZBp/3juD+OI+hjTu9sLS+1nguW\
    AW26YYZUWd/sH0wYmidu8GnGxBm7GT+UNc0WUyEdTq7gnrGMGsPslzsosaVtBTRnSJ5PTu2mkf5a\
    Xgezh/0ryOaK8ag1GDwLt9LSMubCU+4JDBqHLgiToNwQolw530HFhFbxukiS2HdU7S/jx6agxdzI\
    gwBvpB16oGYzJKi12ms2Iewi1YaBdI6/0mTUZIQYcZMQMfFfJkCSxHWs3VEZlPEjn3nODL8q0qTv\
    N9DBkwIICS8mosONNA4EcDD477mBUSySJBEkNvfcJFbDH3d3Vm9YFHRJeEOt2/3xRG+OQDR1nf8q\
    0ulF/ecibYEEo8wtRxk1djp8VrjibNA5bimfOcF9yISv5Vq7Im7Y6imMsrXethgtV4TNWK/PLMw/\
    mwUnyDXhfvrvuOnB0ZnCLGVV6cY75oikmU92dEYBKDGO9Z4p0ufHb8TIfFmrW8maTErxbhkD4vXW\
    o90o1QVbiwPyH55uTXFKCvr1l3tIaSlYg0sUME0wMTANBglghkgBZQMEAgEFAAQgiquKYrNKqWeu\
    dbus94DMBxlC5XBrmw4s/+LKzCd56BwEFLremLwY8odS3VhMyWrH7nM4DVKHAgInEA==";
/// The certificate as a trusted one, by `keytool` of JDK 17.0.15.
const JDK_TRUST: &str = "MIIC0gIBAzCCAnwGCSqGSIb3DQEHAaCCAm0EggJpMIICZTCCAmEGCSqGSIb3DQEHBqCCAlIwggJO\
    AgEAMIICRwYJKoZIhvcNAQcBMGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBTKQCFevZK8\
    XZMIfjn0Lcch0Z8uKQICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEG3NhwLsS1bf\
    a562lCUnoS+AggHQ9EQcAbItBBZNkz4o8snK6bfSEqlrwlCMpmZ9dwmJsC0e8WCgQ2CR0iscn9eC\
    sxkrrm3pnBS+MDKXh1N3hO8V1i/fOEJzk2CRuL5ixw0eJrA4eY6lg18UfuhW/ih3MXA4IgsTisX6\
    S/uDXtxutDviO9FQK1qcNDHk/zt/zuif1o9c4BhSi6NK3bDgyhTM4N/Nr3f5BP2gu2kM05Lps3qN\
    56wQf5YN5HlumE57s+mwboXnx025MDcvqAYTIPXkmwitKhf8i1HVPuCv8rcbiFWgTYFuI5FSshZ+\
    b7oJjbw5UIVWSoYpCptkXaD3NUFK1nT1tlSn8EGC6xmL6fBBM6xZnihhSvo7sy/MJF5fkgd/XurL\
    VSYW3ixho/e13DhjsNn8oXxIREkMVTqnTqRUeeFDon7Ng5CTBF0sOYUUhbwJD0ZclADwSN3W3nt/\
    nQ0ywK1WcHhTbL2kIv9+LgqC32J1eP0GO1UVKlYRbLz6mZV3wAM7Jrk9/b2swwk6OBGSruyyVP8g\
    uVjoEL1DfpoJ1BaymHzo+dMhED0xMUS4gpUYxA0pCywuTV4A4ALRPULH6bXyrqvG1Va6fjv6EuiC\
    JShK9e2LobFyf0EQzP9+SOiE3DQwTTAxMA0GCWCGSAFlAwQCAQUABCBdRq48vmlSMVIzCkLs5zc8\
    bf+NzUB+arhhz/kU/xrZVgQU0jmwavkfaNV84uoTeEkKj2ScK+QCAicQ";
/// Key and certificate, by OpenSSL 3.0.19.
const OPENSSL_KEY: &str = "MIIDpgIBAzCCA1wGCSqGSIb3DQEHAaCCA00EggNJMIIDRTCCAkIGCSqGSIb3DQEHBqCCAjMwggIv\
    AgEAMIICKAYJKoZIhvcNAQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhR5Y/L7n6t\
    AgICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENJ6SOzXPQ2rnfo8GqcrFQuAggHAIvWG\
    oo10t8J+xrMmFy0W/Pf7nESuYd29V0+eY9IGfRkkX3pzP6oWrJq6PLgLxsayM1V5IXQMoMGY7065\
    a4oLk8E20dr2UT3KYubCgN03iIaZHTAK361hPViR/+mxvoKrEGGf+yfABbBOVrqdBofApRhvvDe+\
    iTxFenvHP9NuM8UdwcNRgmLQw+0HRE3BMhz664UGbrfCB8tzzQWa3FJGcSXPqCbGhmm+59H+FmtE\
    eRJPjLYVz+I+8GQwZZNz3Ej7BmF6McbqKcJHKV8LS16I4rNKReIlrfVhLGXQ5eixI4QTEXPt0cia\
    APVcwDCerBhX/QvgjZ7xQmWRn+UZIekQcnlP/s+ghLa1j6qdr1OkC81by+dpDD7Ud/XMfEHJ3+bC\
    9mprmqIePZUCvUmsnLGoSUzKvDu4tp5bLyHlLVz1uWa2MnQVi7ImmNvAHiiqUmwxXolgk6VyICpd\
    kUGx7K0dA5iKJ0cJ9cy2Bjy5D9ZV4YT2dH4lYOuRr3uXifri1PikgPoi1VGVLLWcwBf0ubKHBWBE\
    /MISXgJAJIxDgbrwifNWwz6a7bLfRlGZdd/JngDIpHabkUJaSeKEInaYRsdbQjCB/AYJKoZIhvcN\
    AQcBoIHuBIHrMIHoMIHlBgsqhkiG9w0BDAoBAqCBrjCBqzBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG\
    9w0BBQwwHAQIrFkj9uwfLmkCAggAMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBA+tffuD27x\
    Ck1XnW5nrdVbBFBlcmn7WTAPwbnrwEqO+Q7f6SG/LMknMBC1TnsZVovIvoK9NN3QgQb039Z2RrBH\
    JzNAWS/j9Qxa2DmmI4ZROL4uZvIC9Z4cfVBaU+ypGIvsUDElMCMGCSqGSIb3DQEJFTEWBBRo5QD7\
    N9z/ql5PWUJVIh2gLpTeITBBMDEwDQYJYIZIAWUDBAIBBQAEIGVv0HBkIYXGmnUgX83VMlb4J6dU\
    v+8yE1Iaxp/VVrnJBAg8ae98W8qyCQICCAA=";
/// Key and certificate, by OpenSSL 3.0.19 with `-legacy`.
const LEGACY_KEY: &str = "MIIDFgIBAzCCAtwGCSqGSIb3DQEHAaCCAs0EggLJMIICxTCCAgcGCSqGSIb3DQEHBqCCAfgwggH0\
    AgEAMIIB7QYJKoZIhvcNAQcBMBwGCiqGSIb3DQEMAQYwDgQIlAsXkJwOFvwCAggAgIIBwMw8b4EE\
    s2MghluhF2YAaSpKJb4a+ZXYL4Cic+EJWvuXcromNWwQJPtdLZ78gm/f3F9ymcoYpHq9fLyqIDVb\
    PLbYcCXRCNKLinAFBkM8V2HVcLmZw+YtcaHvgz0vBMLoYYTpMDpfOiyHgUO9vXD5I9qRgfhVrBmT\
    n3fJz9ZraTvJf9a47sTZd0fAMXJEDzKJGGFcPuuuHDdTk3svzzSF6/Z/YzFsEfLZwZP5dUsH5O+2\
    EhRmiv2boYE3BMzRgwC+fKHoVs73ndAN/8dq8lG/rylDtVaOF/VNxgBH7dN+h4ogN0IA9SaSbjjS\
    92amcvCk7UESuvcMYaILH8zYbZIDzl5ZXjs/48BzeRnli4Mu7US+mar9B1LSKkDHIqQlfFj/WQqN\
    eSsjT2aR0FoDXSNiaRpM5OzuMoshnlcgGYjQYRRFIZ+I761+2q1K3F9dzXkw19tGmST34naiZIpN\
    eyVpKioFFI3aKZCruRPTAzyrteK2cSy5veY3Ve0yMjhQbMU6mqAF32+wRi8pD+awVuU56CbtWzTN\
    0rfUdVr5vpovmw33ol9ptLtD8OINJWDUqg7FauzPSvp28wiXlBek73PHyrgwgbcGCSqGSIb3DQEH\
    AaCBqQSBpjCBozCBoAYLKoZIhvcNAQwKAQKgajBoMBwGCiqGSIb3DQEMAQMwDgQIjJycALCmlRgC\
    AggABEjUjBEWwG4X3gUw8gnq1YhiSWMtQT5u8yO6QRJoabrI164kNeq+F+Ls354yzn8rtAyio0Xl\
    nuQrr3pkl1hpXZRQ6kLvOcObvXUxJTAjBgkqhkiG9w0BCRUxFgQUaOUA+zfc/6peT1lCVSIdoC6U\
    3iEwMTAhMAkGBSsOAwIaBQAEFOGUEur3HCOekvYEPS6lAhjEPHdyBAjORPNw+cjlAQICCAA=";

/// Key and certificate, by `keytool -storetype JKS` of JDK 17.
const JKS_KEY: &str = "/u3+7QAAAAIAAAABAAAAAQABawAAAaH9sgeYAAAAfzB9MA4GCisGAQQBKgIRAQEFAARr4eRhX7U3\
    JLO+YUN9bbtF977J2olnM8NTv3LDH2D2rdj2MVfjc6gR541CNgzv4jS+AmheE0MudzPdX7ZjbkbN\
    cP9xmkYFGr3/05Ui4CgAPxml533UBXtRWRmqNRhTgRufc0rXKNCEE5ngCmEAAAABAAVYLjUwOQAA\
    AWEwggFdMIIBA6ADAgECAgga3yMcFvF8gzAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwlsb2NhbGhv\
    c3QwIBcNMjYxMTIxMTA0MTA1WhgPMjEyNjEwMjgxMDQxMDVaMBQxEjAQBgNVBAMTCWxvY2FsaG9z\
    dDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNBGjOzTJGn7R3TSmOWQEM8oshLJkIeNVzs/IBB4\
    kfEzYaupjZeli41f+f1PZFY2CZivcG5YwKYFDzD6+IEeL7WjPTA7MB0GA1UdDgQWBBRQH0Mz1Fq7\
    2urZ4ipxUgdpFgnnujAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAw\
    RQIgffQNgDlRtTm0tzcZl64ONqCeDNAKqog+y09aP9Gl5ncCIQDRIBDWzH6vBPevec6adZsXVCUy\
    BuQLhl2VsWWWJ3UrK09zX1QCqaNqmDA3i+ZE+E+c8bT3";
/// The same, the key with the password `different`.
const JKS_OWN: &str = "/u3+7QAAAAIAAAABAAAAAQABawAAAaH9sgxhAAAAfzB9MA4GCisGAQQBKgIRAQEFAARrNRD4W/Rb\
    qBbziTQCyhjprGcNdTq/N95v90qpS5yiCAE4vC7gyQZhfkfQ6EzhsiNulDENc5ymUZBSMBcCF12m\
    n1z7TFJNFMGrlQv/viiu+9HmassfgezNJFrW55qPA+kDepWFAdGlQfkMhTYAAAABAAVYLjUwOQAA\
    AWEwggFdMIIBA6ADAgECAgga3yMcFvF8gzAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwlsb2NhbGhv\
    c3QwIBcNMjYxMTIxMTA0MTA1WhgPMjEyNjEwMjgxMDQxMDVaMBQxEjAQBgNVBAMTCWxvY2FsaG9z\
    dDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNBGjOzTJGn7R3TSmOWQEM8oshLJkIeNVzs/IBB4\
    kfEzYaupjZeli41f+f1PZFY2CZivcG5YwKYFDzD6+IEeL7WjPTA7MB0GA1UdDgQWBBRQH0Mz1Fq7\
    2urZ4ipxUgdpFgnnujAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAw\
    RQIgffQNgDlRtTm0tzcZl64ONqCeDNAKqog+y09aP9Gl5ncCIQDRIBDWzH6vBPevec6adZsXVCUy\
    BuQLhl2VsWWWJ3UrK32M9ito691RlHkeMS6YgD0oR2zC";
/// The certificate as a trusted one, by `keytool -storetype JKS` of JDK 17.
const JKS_TRUST: &str = "/u3+7QAAAAIAAAABAAAAAgABdAAAAaH9sgsrAAVYLjUwOQAAAWEwggFdMIIBA6ADAgECAgga3yMc\
    FvF8gzAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwlsb2NhbGhvc3QwIBcNMjYxMTIxMTA0MTA1WhgP\
    MjEyNjEwMjgxMDQxMDVaMBQxEjAQBgNVBAMTCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49\
    AwEHA0IABNBGjOzTJGn7R3TSmOWQEM8oshLJkIeNVzs/IBB4kfEzYaupjZeli41f+f1PZFY2CZiv\
    cG5YwKYFDzD6+IEeL7WjPTA7MB0GA1UdDgQWBBRQH0Mz1Fq72urZ4ipxUgdpFgnnujAaBgNVHREE\
    EzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIgffQNgDlRtTm0tzcZl64ONqCe\
    DNAKqog+y09aP9Gl5ncCIQDRIBDWzH6vBPevec6adZsXVCUyBuQLhl2VsWWWJ3UrK+Ad8bsxOZor\
    AG+cGLvLGY9zHpB8";

fn read(store: &str, password: &str) -> Result<Contents, String> {
    read_with(store, password, password)
}

fn read_with(store: &str, password: &str, key: &str) -> Result<Contents, String> {
    Contents::read(&STANDARD.decode(store).unwrap(), Passwords { store: password, key })
}

#[test]
fn stores_of_current_tools_are_read() {
    let (jdk, openssl) = (read(JDK_KEY, "changeit").unwrap(), read(OPENSSL_KEY, "changeit").unwrap());
    assert_eq!(jdk.identity().unwrap(), openssl.identity().unwrap());
    let trust = read(JDK_TRUST, "changeit").unwrap();
    assert_eq!(trust.certificates(), jdk.certificates());
    assert_eq!(trust.certificates().matches("BEGIN CERTIFICATE").count(), 1);
    assert!(trust.identity().unwrap_err().contains("no private key"));
    let certificates = reqwest::Certificate::from_pem_bundle(trust.certificates().as_bytes());
    assert_eq!(certificates.unwrap().len(), 1);
    assert!(reqwest::Identity::from_pem(jdk.identity().unwrap().as_bytes()).is_ok());
}

#[test]
fn stores_of_older_tools_are_read() {
    let (old, new) = (read(LEGACY_KEY, "changeit").unwrap(), read(JDK_KEY, "changeit").unwrap());
    assert_eq!(old.identity().unwrap(), new.identity().unwrap());
}

#[test]
fn a_wrong_password_is_told() {
    for store in [JDK_KEY, LEGACY_KEY] {
        assert!(read(store, "changed").unwrap_err().contains("password is wrong"));
    }
}

#[test]
fn all_parts_of_a_store_share_one_budget_of_key_derivation() {
    let store = STANDARD.decode(JDK_KEY).unwrap();
    let within = |iterations| pkcs12::read_within(&store, CHANGEIT, iterations);
    assert!(within(20_000).is_ok(), "a certificate and a key, 10,000 rounds each");
    assert!(within(19_999).unwrap_err().contains("iteration count"));
}

const CHANGEIT: Passwords<'_> = Passwords { store: "changeit", key: "changeit" };

#[test]
fn damaged_stores_are_refused() {
    let store = STANDARD.decode(JDK_KEY).unwrap();
    for length in (0..store.len()).step_by(7) {
        assert!(Contents::read(&store[..length], CHANGEIT).is_err(), "{length}");
    }
    // Whatever single byte is broken, reading ends; the unprotected parts may still be found.
    for at in (0..120).step_by(11) {
        let mut broken = store.clone();
        broken[at] ^= 0xff;
        drop(Contents::read(&broken, CHANGEIT));
    }
}

#[test]
fn javas_own_stores_are_read() {
    let (key, trust) = (read(JKS_KEY, "changeit").unwrap(), read(JKS_TRUST, "changeit").unwrap());
    assert_eq!(trust.certificates(), key.certificates());
    assert!(reqwest::Identity::from_pem(key.identity().unwrap().as_bytes()).is_ok());
    assert!(trust.identity().unwrap_err().contains("no private key"));
    // The checksum needs the password, the certificates do not.
    assert_eq!(read(JKS_TRUST, "").unwrap().certificates(), trust.certificates());
    assert!(read(JKS_TRUST, "changed").unwrap_err().contains("password is wrong"));
    let own = read_with(JKS_OWN, "changeit", "different").unwrap();
    assert_eq!(own.identity().unwrap(), key.identity().unwrap());
    assert!(read(JKS_OWN, "changeit").unwrap_err().contains("password of the key"));
    assert!(Contents::read(&[0xce, 0xce, 0xce, 0xce, 0], CHANGEIT).unwrap_err().contains("keytool"));
}

#[test]
fn damaged_stores_of_java_are_refused() {
    let store = STANDARD.decode(JKS_KEY).unwrap();
    for length in 4..store.len() {
        assert!(Contents::read(&store[..length], CHANGEIT).is_err(), "{length}");
    }
    // Without a checksum reading ends all the same, whatever a byte says.
    for at in 4..store.len() {
        let mut broken = store.clone();
        broken[at] ^= 0xff;
        drop(Contents::read(&broken, Passwords { store: "", key: "changeit" }));
    }
}
