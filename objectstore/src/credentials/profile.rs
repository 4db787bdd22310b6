//! Keys out of the profile files of AWS: `~/.aws/credentials`, then `~/.aws/config`.
//!
//! Owns the format of the files; keys that stand in a profile are used, profiles that need another program, a
//! login or a role are refused.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".

use std::collections::BTreeMap;
use std::path::PathBuf;

use object_store::aws::AwsCredential;

use crate::SettingError;

/// Settings of a profile.
type Profile = BTreeMap<String, String>;

/// The key of the profile that `variable` (of the environment) names; `None` without one.
///
/// # Errors
/// Class `Config` for a profile that cannot be used, or that was named and does not exist.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<AwsCredential>, SettingError> {
    let home = variable("HOME").map(PathBuf::from);
    let file = |named: &str, usual: &str| {
        variable(named).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(usual)))
    };
    let text = |path: Option<PathBuf>| path.and_then(|path| std::fs::read_to_string(path).ok());
    let chosen = variable("AWS_PROFILE");
    let name = chosen.as_deref().unwrap_or("default");
    let mut profile = Profile::new();
    let mut is_known = false;
    for (text, section) in [
        (text(file("AWS_CONFIG_FILE", ".aws/config")), format!("profile {name}")),
        (text(file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")), name.to_owned()),
    ] {
        // What stands in the file of credentials wins.
        for (found, settings) in sections(text.as_deref().unwrap_or_default()) {
            if found == section || (name == "default" && found == "default") {
                is_known = true;
                profile.extend(settings);
            }
        }
    }
    if let (Some(key_id), Some(secret_key)) =
        (profile.remove("aws_access_key_id"), profile.remove("aws_secret_access_key"))
    {
        return Ok(Some(AwsCredential { key_id, secret_key, token: profile.remove("aws_session_token") }));
    }
    let other = ["credential_process", "role_arn", "sso_session", "sso_start_url"];
    if let Some(found) = other.into_iter().find(|setting| profile.contains_key(*setting)) {
        return Err(SettingError {
            message: format!(
                "the AWS profile {name} uses {found}, which Lakeward does not support; use a profile with \
                 aws_access_key_id and aws_secret_access_key, or s3.credentials.provider.class with a role"
            ),
        });
    }
    match chosen {
        Some(name) if !is_known => Err(SettingError {
            message: format!("AWS_PROFILE names the profile {name}, which no file of AWS profiles has"),
        }),
        _ => Ok(None),
    }
}

/// The sections of a file, in order.
fn sections(text: &str) -> Vec<(String, Profile)> {
    let mut found: Vec<(String, Profile)> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() || line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let words: Vec<&str> = name.split_whitespace().collect();
            found.push((words.join(" "), Profile::new()));
        } else if let Some((_, profile)) = found.last_mut()
            // Indented lines belong to the setting above.
            && !line.starts_with(char::is_whitespace)
            && let Some((key, value)) = line.split_once('=')
        {
            profile.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of a profile out of files with these contents.
    fn key(
        credentials: &str,
        config: &str,
        profile: Option<&str>,
    ) -> Result<Option<(String, String, Option<String>)>, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".aws")).unwrap();
        std::fs::write(dir.path().join(".aws/credentials"), credentials).unwrap();
        std::fs::write(dir.path().join("elsewhere"), config).unwrap();
        let variable = |name: &str| match name {
            "HOME" => Some(dir.path().display().to_string()),
            "AWS_CONFIG_FILE" => Some(dir.path().join("elsewhere").display().to_string()),
            "AWS_PROFILE" => profile.map(str::to_owned),
            _ => None,
        };
        read(variable)
            .map(|found| found.map(|key| (key.key_id, key.secret_key, key.token)))
            .map_err(|err| err.to_string())
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

    #[test]
    fn a_profile_that_needs_more_is_refused_with_the_remedy() {
        let problem = key("", "[default]\nrole_arn=arn:aws:iam::1:role/a\n", None).unwrap_err();
        assert!(
            problem.contains("role_arn") && problem.contains("s3.credentials.provider.class"),
            "{problem}"
        );
    }
}
