//! Which stream of a property events go to.

use tracklane_http::SettingError;

/// A data stream of Google's.
#[derive(Clone, Debug)]
pub(crate) enum Stream {
    /// A web stream, by its measurement id.
    Web(String),
    /// That of an app, by its Firebase app id.
    App(String),
    /// The settings name none, or both.
    Unclear,
}

impl Stream {
    pub(crate) fn of(measurement_id: Option<String>, firebase_app_id: Option<String>) -> Self {
        match (measurement_id, firebase_app_id) {
            (Some(id), None) => Self::Web(id),
            (None, Some(id)) => Self::App(id),
            _ => Self::Unclear,
        }
    }

    /// The stream as the query of a request names it.
    pub(crate) fn query(&self) -> Result<String, SettingError> {
        match self {
            Self::Web(id) if is_measurement_id(id.trim()) => Ok(format!("measurement_id={}", id.trim())),
            Self::Web(id) => {
                let problem = format!("is {:?}: use that of a web stream, such as \"G-ABC123\"", id.trim());
                Err(SettingError::new("measurement_id", problem))
            }
            // Google wants the colons as they are.
            Self::App(id) if is_app_id(id.trim()) => Ok(format!("firebase_app_id={}", id.trim())),
            Self::App(id) => {
                let problem = format!(
                    "is {:?}: use the app id of Firebase's project settings, such as \"1:12:android:3a\"",
                    id.trim()
                );
                Err(SettingError::new("firebase_app_id", problem))
            }
            Self::Unclear => {
                let problem = "must be set, or firebase_app_id in its place for the stream of an app";
                Err(SettingError::new("measurement_id", problem))
            }
        }
    }
}

fn is_measurement_id(id: &str) -> bool {
    id.strip_prefix("G-").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

/// `1:1234567890:android:321abc456def7890`: a version, a project, a platform, a hash.
fn is_app_id(id: &str) -> bool {
    let parts: Vec<&str> = id.split(':').collect();
    let [version, project, platform, hash] = parts.as_slice() else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_hash = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits(version) && digits(project) && matches!(*platform, "android" | "ios") && is_hash
}
