//! The format of AWS's profile files: sections of settings.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Settings of a profile.
pub(super) type Profile = BTreeMap<String, String>;

/// The profiles of both files, by name. What stands in the file of credentials wins.
pub(super) fn profiles(variable: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, Profile> {
    let home = variable("HOME").map(PathBuf::from);
    let text = |named: &str, usual: &str| {
        let path = variable(named).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(usual)));
        path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
    };
    let mut profiles = BTreeMap::<String, Profile>::new();
    for (section, settings) in sections(&text("AWS_CONFIG_FILE", ".aws/config")) {
        let name = match section.strip_prefix("profile ") {
            Some(name) => name,
            None if section == "default" => "default",
            // Sections of another kind.
            None => continue,
        };
        profiles.entry(name.to_owned()).or_default().extend(settings);
    }
    for (name, settings) in sections(&text("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")) {
        profiles.entry(name).or_default().extend(settings);
    }
    profiles
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
