//! Profiles out of files: keys, roles, programs, and what is refused.

use super::*;

fn variables(
    dir: &tempfile::TempDir,
    credentials: &str,
    config: &str,
    profile: Option<&str>,
) -> impl Fn(&str) -> Option<String> {
    std::fs::create_dir(dir.path().join(".aws")).unwrap();
    std::fs::write(dir.path().join(".aws/credentials"), credentials).unwrap();
    std::fs::write(dir.path().join("elsewhere"), config).unwrap();
    let (home, config) =
        (dir.path().display().to_string(), dir.path().join("elsewhere").display().to_string());
    let profile = profile.map(str::to_owned);
    move |name| match name {
        "HOME" => Some(home.clone()),
        "AWS_CONFIG_FILE" => Some(config.clone()),
        "AWS_PROFILE" => profile.clone(),
        _ => None,
    }
}

/// The source of a profile out of files with these contents, and what is wrong with it.
fn source(credentials: &str, config: &str, profile: Option<&str>) -> Result<Option<Source>, String> {
    let dir = tempfile::tempdir().unwrap();
    read(&variables(&dir, credentials, config, profile)).map_err(|err| err.to_string())
}

/// The key of a profile out of files with these contents.
fn key(
    credentials: &str,
    config: &str,
    profile: Option<&str>,
) -> Result<Option<(String, String, Option<String>)>, String> {
    match source(credentials, config, profile)? {
        Some(Source::Key(key)) => Ok(Some((key.key_id, key.secret_key, key.token))),
        Some(other) => panic!("{other:?}"),
        None => Ok(None),
    }
}

fn pair(id: &str, secret: &str, token: Option<&str>) -> Option<(String, String, Option<String>)> {
    Some((id.to_owned(), secret.to_owned(), token.map(str::to_owned)))
}

const FILE: &str = "# keys\n[default]\naws_access_key_id = A\naws_secret_access_key=B=C\n\n\
                    [ other ]\n  aws_access_key_id=no\nAWS_ACCESS_KEY_ID=D\n\
                    aws_secret_access_key=E\naws_session_token=F\n";

#[test]
fn a_profile_is_the_default_one_or_the_named_one() {
    assert_eq!(key(FILE, "", None), Ok(pair("A", "B=C", None)));
    assert_eq!(key(FILE, "", Some("other")), Ok(pair("D", "E", Some("F"))));
    assert_eq!(key("", "", None), Ok(None));
    assert!(key(FILE, "", Some("third")).unwrap_err().contains("third"));
}

#[test]
fn the_file_of_credentials_wins_over_the_other() {
    let config = "[profile other]\naws_access_key_id=G\naws_secret_access_key=H\nregion=eu-west-1\n\
                  [default]\naws_access_key_id=I\naws_secret_access_key=J\n";
    assert_eq!(key("", config, Some("other")), Ok(pair("G", "H", None)));
    assert_eq!(key("", config, None), Ok(pair("I", "J", None)));
    assert_eq!(key(FILE, config, None), Ok(pair("A", "B=C", None)));
}

const ROLES: &str = "[profile lake]\nrole_arn=arn:aws:iam::1:role/lake\nsource_profile=middle\n\
                     external_id=42\nrole_session_name=s\nduration_seconds=900\nregion=eu-west-1\n\
                     [profile middle]\nrole_arn=arn:aws:iam::1:role/middle\nsource_profile=other\n";

#[test]
fn a_role_is_assumed_with_the_profile_that_it_names() {
    let Some(Source::Role { role, duration_s, base }) = source(FILE, ROLES, Some("lake")).unwrap() else {
        panic!("no role")
    };
    assert_eq!((role.arn.as_str(), role.external_id.as_str()), ("arn:aws:iam::1:role/lake", "42"));
    assert_eq!((role.session_name.as_str(), role.region.as_deref()), ("s", Some("eu-west-1")));
    assert_eq!(duration_s, Some(900));
    let Source::Role { role, base, .. } = *base else { panic!("{base:?}") };
    assert_eq!((role.arn.as_str(), role.external_id.as_str()), ("arn:aws:iam::1:role/middle", ""));
    assert!(role.session_name.starts_with("lakeward") && role.region.is_none());
    assert!(matches!(&*base, Source::Key(key) if key.key_id == "D"), "{base:?}");
    // Its own key, and a role before a key.
    let own = "[default]\nrole_arn=r\nsource_profile=default\naws_access_key_id=A\naws_secret_access_key=B\n";
    let Some(Source::Role { base, .. }) = source("", own, None).unwrap() else { panic!("no role") };
    assert!(matches!(&*base, Source::Key(key) if key.key_id == "A"), "{base:?}");
}

#[test]
fn what_else_gives_credentials_is_known() {
    let of = |settings: &str| source("", &format!("[default]\n{settings}\n"), None).unwrap().unwrap();
    assert!(matches!(of("credential_process=/bin/echo 'a b'"), Source::Process(_)));
    let identity = of("role_arn=r\nweb_identity_token_file=/run/token\nsource_profile=x");
    let Source::WebIdentity { role, token_file, .. } = identity else { panic!("{identity:?}") };
    assert_eq!((role.arn.as_str(), token_file), ("r", PathBuf::from("/run/token")));
    for (name, found) in [
        ("Environment", Surroundings::Environment),
        ("Ec2InstanceMetadata", Surroundings::Instance),
        ("EcsContainer", Surroundings::Container),
    ] {
        let role = of(&format!("role_arn=r\ncredential_source={name}"));
        let Source::Role { base, .. } = role else { panic!("{role:?}") };
        assert!(matches!(&*base, Source::Surroundings(one) if *one == found), "{base:?}");
    }
}

#[test]
fn a_profile_that_cannot_be_used_is_refused_with_the_remedy() {
    let role = |settings: &str| format!("[default]\nrole_arn=r\n{settings}\n");
    let cases = [
        ("[default]\nsso_session=s\n".to_owned(), ["sso_session", "credential_process"]),
        (role("sso_start_url=u"), ["sso_start_url", "aws sso login"]),
        (role(""), ["role_arn", "source_profile"]),
        (role("source_profile=a\ncredential_source=Environment"), ["source_profile", "credential_source"]),
        (role("source_profile=nobody"), ["source_profile", "nobody"]),
        (role("credential_source=Moon"), ["credential_source", "Ec2InstanceMetadata"]),
        (role("source_profile=default"), ["source_profile", "default"]),
        (role("mfa_serial=m\nsource_profile=default"), ["mfa_serial", "without one"]),
        (role("duration_seconds=1\nsource_profile=default"), ["duration_seconds", "900"]),
        ("[default]\ncredential_process=a | b\n".to_owned(), ["credential_process", "shell"]),
        ("[default]\naws_access_key_id=a\n".to_owned(), ["aws_secret_access_key", "default"]),
        ("[default]\nweb_identity_token_file=/t\n".to_owned(), ["web_identity_token_file", "role_arn"]),
    ];
    for (config, words) in cases {
        let problem = source("", &config, None).unwrap_err();
        assert!(words.iter().all(|word| problem.contains(word)), "{config}: {problem}");
    }
    let circle = "[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=r\nsource_profile=a\n";
    assert!(source("", circle, Some("a")).unwrap_err().contains("in a circle"));
}
