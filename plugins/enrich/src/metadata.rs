//! Describes where the process runs: host, cloud and Kubernetes, from the environment. No service is asked over the
//! network.

use serde_json::{Map, Value, json};
use tracklane::Context;

/// A variable that only one platform sets, and what it identifies: the provider, the platform (as OpenTelemetry names
/// them), and the variables of region, service and version.
struct Platform {
    variable: &'static str,
    provider: &'static str,
    platform: &'static str,
    members: &'static [(&'static str, &'static str)],
}

const PLATFORMS: &[Platform] = &[
    Platform {
        variable: "AWS_LAMBDA_FUNCTION_NAME",
        provider: "aws",
        platform: "aws_lambda",
        members: &[
            ("region", "AWS_REGION"),
            ("service", "AWS_LAMBDA_FUNCTION_NAME"),
            ("version", "AWS_LAMBDA_FUNCTION_VERSION"),
        ],
    },
    Platform {
        variable: "ECS_CONTAINER_METADATA_URI_V4",
        provider: "aws",
        platform: "aws_ecs",
        members: &[("region", "AWS_REGION")],
    },
    Platform {
        variable: "K_SERVICE",
        provider: "gcp",
        platform: "gcp_cloud_run",
        members: &[("service", "K_SERVICE"), ("version", "K_REVISION"), ("project", "GOOGLE_CLOUD_PROJECT")],
    },
    Platform {
        variable: "GAE_SERVICE",
        provider: "gcp",
        platform: "gcp_app_engine",
        members: &[("service", "GAE_SERVICE"), ("version", "GAE_VERSION"), ("project", "GOOGLE_CLOUD_PROJECT")],
    },
    Platform {
        variable: "CONTAINER_APP_NAME",
        provider: "azure",
        platform: "azure_container_apps",
        members: &[("service", "CONTAINER_APP_NAME"), ("version", "CONTAINER_APP_REVISION")],
    },
    Platform {
        variable: "WEBSITE_SITE_NAME",
        provider: "azure",
        platform: "azure_app_service",
        members: &[("region", "REGION_NAME"), ("service", "WEBSITE_SITE_NAME")],
    },
    Platform {
        variable: "FLY_APP_NAME",
        provider: "fly_io",
        platform: "fly_io",
        members: &[("region", "FLY_REGION"), ("service", "FLY_APP_NAME")],
    },
    Platform { variable: "DYNO", provider: "heroku", platform: "heroku", members: &[("service", "HEROKU_APP_NAME")] },
];

/// Variables that describe a pod. Its manifest sets them by `fieldRef`.
const POD: &[(&str, &[&str])] = &[
    ("pod", &["POD_NAME", "K8S_POD_NAME"]),
    ("namespace", &["POD_NAMESPACE", "K8S_NAMESPACE"]),
    ("node", &["NODE_NAME", "K8S_NODE_NAME"]),
];

/// Returns `context.host`, `context.cloud` and `context.kubernetes`, as far as they are known.
pub(crate) fn metadata(variable: &dyn Fn(&str) -> Option<String>, file: &dyn Fn(&str) -> Option<String>) -> Context {
    let variable = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let file = |path: &str| file(path).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut context = Context::new();
    if let Some(name) =
        file("/proc/sys/kernel/hostname").or_else(|| variable("HOSTNAME")).or_else(|| variable("COMPUTERNAME"))
    {
        context.insert("host", json!({ "name": name }));
    }
    if let Some(platform) = PLATFORMS.iter().find(|platform| variable(platform.variable).is_some()) {
        let mut cloud = Map::new();
        cloud.insert("provider".to_owned(), platform.provider.into());
        cloud.insert("platform".to_owned(), platform.platform.into());
        let members = platform.members.iter().filter_map(|(member, name)| Some((*member, variable(name)?)));
        cloud.extend(members.map(|(member, value)| (member.to_owned(), Value::from(value))));
        context.insert("cloud", cloud);
    }
    if variable("KUBERNETES_SERVICE_HOST").is_some() {
        let named =
            POD.iter().filter_map(|(member, names)| Some((*member, names.iter().find_map(|name| variable(name))?)));
        let mut kubernetes: Map<String, Value> =
            named.map(|(member, value)| (member.to_owned(), value.into())).collect();
        if !kubernetes.contains_key("namespace")
            && let Some(namespace) = file("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
        {
            kubernetes.insert("namespace".to_owned(), namespace.into());
        }
        if !kubernetes.is_empty() {
            context.insert("kubernetes", kubernetes);
        }
    }
    context
}

/// Returns the metadata of this process.
pub(crate) fn of_this_process() -> Context {
    metadata(&|name| std::env::var(name).ok(), &|path| std::fs::read_to_string(path).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Value {
        let of = |list: &[(&str, &str)], name: &str| {
            list.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Value::Object(metadata(&|name| of(variables, name), &|path| of(files, path)).to_map())
    }

    #[test]
    fn the_environment_tells_where_the_process_runs_and_nothing_is_guessed() {
        let namespace = ("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "shop\n");
        let lambda = [
            ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "7"),
        ];
        let cluster = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        for (variables, files, expected) in [
            (&[][..], &[][..], json!({})),
            (&[("HOSTNAME", "web-1")], &[], json!({ "host": { "name": "web-1" } })),
            (&[("HOSTNAME", " ")], &[], json!({})),
            (
                &[("HOSTNAME", "old")],
                &[("/proc/sys/kernel/hostname", "web-1\n")],
                json!({ "host": { "name": "web-1" } }),
            ),
            (
                &lambda,
                &[],
                json!({ "cloud": { "provider": "aws", "platform": "aws_lambda", "region": "eu-central-1", "service": "orders", "version": "7" } }),
            ),
            (&[("AWS_REGION", "eu-central-1")], &[], json!({})),
            (
                &[("K_SERVICE", "api")],
                &[],
                json!({ "cloud": { "provider": "gcp", "platform": "gcp_cloud_run", "service": "api" } }),
            ),
            (
                &[cluster, ("POD_NAME", "api-5f")],
                &[namespace],
                json!({ "kubernetes": { "pod": "api-5f", "namespace": "shop" } }),
            ),
            (&[cluster, ("POD_NAMESPACE", "own")], &[namespace], json!({ "kubernetes": { "namespace": "own" } })),
            (&[cluster], &[], json!({})),
            (&[("POD_NAME", "api-5f")], &[namespace], json!({})),
        ] {
            assert_eq!(told(variables, files), expected, "{variables:?} {files:?}");
        }
    }
}
