//! The page, which is in the binary: small files, compressed at the first request.

use std::io::Write;
use std::path::PathBuf;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

macro_rules! assets {
    ($($name:literal),+ $(,)?) => {
        const FILES: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("../../page/", $name)))),+];
    };
}

// Every file of the folder; a test finds missing ones.
assets![
    "index.html",
    "app.js",
    "connect.js",
    "copy.js",
    "dom.js",
    "event.js",
    "faults.js",
    "feed.js",
    "filter.js",
    "findings.js",
    "help.js",
    "icon.svg",
    "keys.js",
    "live.js",
    "path.js",
    "plan.js",
    "route.js",
    "row.js",
    "rows.js",
    "screens.css",
    "server.js",
    "style.css",
    "text.js",
    "theme.js",
    "tree.js",
    "user.js",
];

struct Asset {
    name: &'static str,
    plain: Bytes,
    zipped: Bytes,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |(name, plain): &(&'static str, &'static [u8])| Asset {
        name,
        plain: Bytes::from_static(plain),
        zipped: zipped(plain),
    };
    FILES.iter().map(asset).collect()
});

/// The page at `/`, and its files below `/assets/`. From a folder, if one is given, for who works on the page.
pub(crate) fn router(folder: Option<PathBuf>) -> Router {
    let (of_index, of_assets) = (folder.clone(), folder);
    Router::new()
        .route("/", get(move |headers: HeaderMap| async move { serve("index.html", of_index, &headers).await }))
        .route(
            "/assets/{name}",
            get(move |axum::extract::Path(name): axum::extract::Path<String>, headers: HeaderMap| async move {
                serve(&name, of_assets, &headers).await
            }),
        )
}

async fn serve(name: &str, folder: Option<PathBuf>, asked: &HeaderMap) -> Response<Body> {
    if let Some(folder) = folder {
        let is_plain = !name.contains(['/', '\\']) && !name.starts_with('.');
        let read = if is_plain { tokio::fs::read(folder.join(name)).await.ok() } else { None };
        return read.map_or_else(missing, |bytes| response(name, bytes.into(), false));
    }
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else { return missing() };
    let accepts = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let gzip = accepts.split(',').any(|coding| coding.trim().split(';').next() == Some("gzip"));
    let bytes = if gzip { asset.zipped.clone() } else { asset.plain.clone() };
    response(name, bytes, gzip)
}

fn response(name: &str, bytes: Bytes, gzip: bool) -> Response<Body> {
    let content_type = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // The next version of the tool may listen on the same port.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn missing() -> Response<Body> {
    let mut response = Response::new(Body::from("there is nothing at this path\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn zipped(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // A `Vec` takes every byte.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_in_the_binary() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_file() && !name.ends_with(".md") {
                assert!(
                    FILES.iter().any(|(known, _)| *known == name),
                    "page/{name} is not in the list of src/dev/page.rs"
                );
            }
        }
    }

    #[test]
    fn the_page_is_small() {
        let bytes: usize = ASSETS.iter().map(|asset| asset.zipped.len()).sum();
        assert!(bytes <= 60 << 10, "{bytes} bytes with gzip, at most 60 KiB");
    }
}
