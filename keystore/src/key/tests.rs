//! One key, by OpenSSL 3.0.19 in every form that a reader of Kafka's settings meets; the password is
//! `secret-pw`.

use super::super::pem;
use super::*;

const PLAIN: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZTdqjr8yTQGoXBWrageU++IvyerGGZmm\
     ZefdslPH\
     PNuhRANCAARVXa0/6aBzu6j4pGJMzWBx3Q9VJYfTLbeFzmYBdiYs7FCepnvpO8Zmy16HSeA6ZWME5GsHdDQS5MY6\
     fsabVM4v";
const SCRYPT: &str = "MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAjYtN9OuB5fmQICQAACAQgCAQEwHQYJYIZI\
     AWUDBAEq\
     BBBRdoaboHhS9/iqrYWvUx9mBIGQjB1rP4SfAv+t1RAfhupGq1NQCrE7yHLjKC30OjK0L079XODGsRYHAE5xpRfg\
     lFbHqt/bP/oZQck4xKujdJeR21f2ZZSSluiL1bZGpDea5E1GpOGtlspKlQD/HUC8Dp7DQSZmLsq3Vyva00ceZvc+\
     488EtugkupJYkPfWFIIP/pKPI/JcX7cRHo41t81NW64f";
const PASSWORD: Option<&str> = Some("secret-pw");

/// The schemes, and the key under each.
const ENCRYPTED_KEYS: [(&str, &str); 13] = [
    (
        "MD5 and DES",
        "MIGwMBsGCSqGSIb3DQEFAzAOBAijdglAIqQtGwICCAAEgZBRAJE2GW2CU/s78lhtnX1LGSuVRQ2ksQ7nxHrw7DXG\
     /C+eoquMSw9khOWG2Sbj1Nbj0Uh3m4XygaQYNjJQJSpNSZ2z1GwgOqMGSP+nSJZWhpr/5zUz3T562ZyLayMEOkVL\
     SEn5jU82BlLG6ej9eBDJL4POv+ge8QYSJ4AHypBl1b6XYfb4xVkCoqj2mUv4YJE=",
    ),
    (
        "SHA-1 and 3DES",
        "MIGxMBwGCiqGSIb3DQEMAQMwDgQIZhnNzGQVKQcCAggABIGQql7M1SW70gcEuz7cT3+xlumVk4A4BDPOW1si53l+\
     Jhwn0VB6F7dgsjPEmMZr55AEcHjzXuwa3NUTm/LKAZSrDCcnhJLhsZma8NAuW1H7EDW9PKdMgVOrviW3lgtnZjsZ\
     fzX9Gopv06baBaNF+DkrdYD5qeJsqLL3HxlPcAX+7A/8jrbV2bosqUoIQ0DVYWmJ",
    ),
    (
        "SHA-1 and 2DES",
        "MIGxMBwGCiqGSIb3DQEMAQQwDgQI/Q9rArfSk+oCAggABIGQp4cjfWab4esokdMDVjj3lEdbs5e02IFIg8XQcRDA\
     RlIzwf4zU7Q1mXgmO6aT0jLl5x8CpMjP0XIe22wUmKuFIhsomGyQbLQ+6wc716bMtsQlrH5nUjhGNh6rCqjkLMRr\
     TB5IrL7of4aumVaZ37OPjB3sjFS5u57MX1H77BQeIJ0e0yNVKk9WHYN/fxE7Cp5E",
    ),
    (
        "SHA-1 and RC2-128",
        "MIGxMBwGCiqGSIb3DQEMAQUwDgQIjTlNYsp+5yMCAggABIGQwOGfOJy1cjYi05ZGuHN9tTYme1+uoTnwesUOp/35\
     8s/M1Ft9tMwlfpDb1qNmA3+v20kmXzoqKZp6gmEhicuJvWgHmSz3p/1YBtATt4cMDTGDKkRlIoluWdv1YfNqZ3Ag\
     1N/NHT9A1z1ijtYdQo5B7ZiaUr5unHBv2T17KjyaCr96If8f3/zRjpzT9iuYuwmb",
    ),
    (
        "SHA-1 and RC2-40",
        "MIGxMBwGCiqGSIb3DQEMAQYwDgQIK6mEzSjeR9wCAggABIGQBd4acYfJ8ZJzfj9iWMAK98r8sqmJUb08fv+9XMAY\
     f6x9EeHrji/KVQfJxIaYER+EIEuvZI26gZpivRiN9ZXtrDA4dy3pMR3XVrnCwfD8SjOQfIIS3z4Q+anrrv6M0j/J\
     CkgorMrIvhdluj2tszUOaSZ7E4DxU1ExQ8jUyIXoxOwveU8itD5oHKTCwMWuJASP",
    ),
    (
        "SHA-1 and RC4-128",
        "MIGrMBwGCiqGSIb3DQEMAQEwDgQI8uD3e48+4BoCAggABIGK6B9yO7rDLtnh4l24Qi1v/71JUDFo5qdFUhBK0OgR\
     3HS8WbxBh0WcEd0fc+bhcGudmpqyUtbPIBeBv+aMUTSnO/1MZrL4v7tFOU7FqFGZd8KY3pZirZq0eO4z7JzvyXKz\
     mCLHPrWsBNd5NHHKWfwHd/3RYSzrHbQsyymG5o1iSK2PjYAHK78BFqZ0",
    ),
    (
        "SHA-1 and RC4-40",
        "MIGrMBwGCiqGSIb3DQEMAQIwDgQID6B/13tn6OYCAggABIGKGz/0iX+KtSxDXN/eorUp2jd0pwDH7H5v6TI6343U\
     cBrmKLGEw5L2uaMZRl8EcihIR6F1jQw4IhQvkY1DCgQ0GLbiIoVngvAvhrqTN+e3tXM4YDT/wThu4AwPze7zLN+D\
     OKg4W30f+T95WaZFfEOoeeh2CIroQihXurskygM2qpkhcdlVXJVPeaoq",
    ),
    (
        "SHA-512 and AES-128",
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiIfqtCshIpxgICCAAwDAYIKoZIhvcNAgsFADAdBglg\
     hkgBZQMEAQIEEJFQwXOux8mRBeRaQYgyyD0EgZCwWHrThcwGYNChOiLDD51K9j9Gjf3MazzJYrKcWAulfff5UN0D\
     duy2aGtC/b0cfQ2nrLA42/ib/wig4tW0FKiLVjFJuK91zZeSf1levzkHrlNwvpq6m5DluGUZX2IhcjHjJlvHBbe4\
     /nu+PyxmIevt8zAv+717NIlH6B2q6/FM3yilrfs9WpaYOvciPFlWeVA=",
    ),
    (
        "SHA-256 and AES-192",
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjxgrZFRJDqoAICCAAwDAYIKoZIhvcNAgkFADAdBglg\
     hkgBZQMEARYEEDiRM3DpSW/+W8pIoR4knAIEgZAWzuJcZRKwQqzfDGg68e4qYM1bzPQ8lBhUM0i5o9hx9RtPA19Y\
     j4Vmuh31LZ3MIDsdvn7GeKTr+OTZK3KgD+4PGLvoNloG8j9nDidGJMoVpGDV+mbb0z2P3decyRkH81A+hqAaHZ+n\
     zRJ27TakYzmZElD9iQr1if1rg6M0wEwCWCe6hmGhnTXK2ksSSqF1bqA=",
    ),
    (
        "SHA-256 and AES-256",
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgIkRA1UJerhgICCAAwDAYIKoZIhvcNAgkFADAdBglg\
     hkgBZQMEASoEEM5DVCfrxR0QhK6qfvh/uIIEgZAgmm4544abbqazth/RFmcgpTabzAA+m5Jid7xsrzh+fhRDSbwF\
     8F/JOMR7TjBhihYe7IMPxO3PXcAi9AYGrSpOsZ1d2u6Pm3J6I2A6vTOth/x0fFROHzEhRbs63wWGyt2Qz+SOTgX6\
     CBfm5YyaHSIA2PPq31KBrx/HkyhirD5/vBR0tsE9KDUCM/8Z0V0B0kE=",
    ),
    (
        "SHA-256 and 3DES",
        "MIHjME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAhjoK4H7BYN9QICCAAwDAYIKoZIhvcNAgkFADAUBggq\
     hkiG9w0DBwQIu6b7UtVh8YgEgZAV9LH9F6GNesDq9bbQaJUkZVOAB7V0CFsjr0VRnK88VXzkC/S4a0vLE6WSAy9a\
     h8qko9qEWHqqWdMr2q4z8VfIu+A+mLJ+1OA4Sag+vSeR+TRr2tYq+JsvlkDg/eLztUxp1cp185E+bOcBJF2eibHa\
     EumhjFmYZOD9F8Gd+Tkqp41rqARifEKI3gkKe0oEKps=",
    ),
    (
        "SHA-1 and AES-256",
        "MIHeMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAju3s/TKU54xwICCAAwHQYJYIZIAWUDBAEqBBBcTHIq\
     kO1td2C7x7BW8sVyBIGQ6h96oowSAFTHaxkh0fVu7nvaWWE04qiWN+sig3phA7gFzimoY7cnsP3l/+fdwPXSW6NC\
     CbeRIv3gUfbQ0AlfiHuj8S8ZhnDjfsaQrH0fAwC+94+f38IjuIV/3eWFDNZLI1LddECJ48dx1KR5Qt0xE5XU/EVM\
     bMX1gqVX/53SPur8Xr8To6HMPon3Up/tkaER",
    ),
    (
        "SHA-384 and AES-256",
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgKU0ZlL8dd9gICCAAwDAYIKoZIhvcNAgoFADAdBglg\
     hkgBZQMEASoEEE4qmJP6EMTpKuUFU/WR+UYEgZCnKKmC0cIbvF8pME9xxvH6lPOnQHuZxkgBBJ15DC2+uFf72em9\
     tX/tf8Mf2YXv8EJagCoUOP4jk4iSM9mY/G+1mRvjc8wR6JEV1rIonj6a1RnHyNBs4PFc4jD6xGcCvW3/0TlLDLSG\
     dMC8nWhyQ4ycffxfzqK3XWQb7HcB2545pACngP8C6JXw+jabIoRNuow=",
    ),
];

fn text(label: &str, letters: &str) -> String {
    pem(label, &STANDARD.decode(letters).unwrap())
}

fn encrypted(letters: &str) -> String {
    text(ENCRYPTED, letters)
}

#[test]
fn a_key_is_the_same_whatever_it_was_encrypted_with() {
    let plain = text("PRIVATE KEY", PLAIN);
    assert_eq!(plain_key(&plain, None), Ok(plain.clone()));
    assert_eq!(plain_key(&plain, PASSWORD), Ok(plain.clone()), "a password too many");
    for (scheme, key) in ENCRYPTED_KEYS {
        assert_eq!(plain_key(&encrypted(key), PASSWORD).as_ref(), Ok(&plain), "{scheme}");
    }
}

#[test]
fn a_wrong_password_is_said_of_the_password_and_not_shown() {
    for (scheme, key) in ENCRYPTED_KEYS {
        let found = plain_key(&encrypted(key), Some("not-that"));
        let expected = "the password is wrong or the private key is damaged";
        assert_eq!(found, Err(KeyProblem::Password(expected.to_owned())), "{scheme}");
        let missing = plain_key(&encrypted(key), None);
        let expected = "the private key is encrypted and needs its password";
        assert_eq!(missing, Err(KeyProblem::Password(expected.to_owned())), "{scheme}");
    }
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    let refused = |text: &str| match plain_key(text, PASSWORD) {
        Err(KeyProblem::Key(sentence)) => sentence,
        other => panic!("{other:?}"),
    };
    assert!(refused(&encrypted(SCRYPT)).contains("openssl pkcs8"));
    let old = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
               -----END EC PRIVATE KEY-----\n";
    assert!(refused(old).contains("openssl pkcs8"));
    assert!(
        refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----").contains("no private key")
    );
    let plain = text("PRIVATE KEY", PLAIN);
    assert!(refused(&format!("{plain}{plain}")).contains("more than one"));
    assert!(refused("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----").contains("damaged"));
}

#[test]
fn key_derivation_has_a_budget() {
    let (_, key) = ENCRYPTED_KEYS[1];
    let within = |rounds| plain_key_within(&encrypted(key), PASSWORD, rounds);
    assert!(within(2048).is_ok(), "OpenSSL's number of rounds");
    let refused = KeyProblem::Key("the iteration count of its private key is out of range".to_owned());
    assert_eq!(within(2047), Err(refused));
}

#[test]
fn one_line_is_enough_and_what_is_around_a_block_does_not_count() {
    let plain = text("PRIVATE KEY", PLAIN);
    let line = plain.replace('\n', " ");
    assert_eq!(plain_key(&line, None), Ok(plain.clone()));
    let certificate = pem("CERTIFICATE", b"one");
    let bag = format!("Bag Attributes\n  friendlyName: k\n{plain}subject=CN\n{certificate}{certificate}");
    assert_eq!(plain_key(&bag, None), Ok(plain.clone()));
    assert_eq!(plain_certificates(&bag), Ok(format!("{certificate}{certificate}")));
    assert!(plain_certificates(&plain).unwrap_err().contains("no certificate"));
}

#[test]
fn damaged_keys_are_refused() {
    for (scheme, key) in ENCRYPTED_KEYS {
        let bytes = STANDARD.decode(key).unwrap();
        for length in (0..bytes.len()).step_by(3) {
            let cut = pem(ENCRYPTED, &bytes[..length]);
            assert!(plain_key(&cut, PASSWORD).is_err(), "{scheme} {length}");
        }
        // Whatever single byte is broken, reading ends, and soon: the budget holds.
        for at in (0..bytes.len()).step_by(7) {
            let mut broken = bytes.clone();
            broken[at] ^= 0x55;
            drop(plain_key_within(&pem(ENCRYPTED, &broken), PASSWORD, 10_000));
        }
    }
}
