//! An HTTP client that needs no runtime: it blocks on a socket of `std`.

use std::io::{Error, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use http::{Request, Response};
use tracklane::transport::{Body, HttpClient};

pub(super) fn client() -> HttpClient {
    HttpClient::new(tower::service_fn(|request: Request<Body>| std::future::ready(exchange(&request))))
}

fn exchange(request: &Request<Body>) -> Result<Response<Body>, Error> {
    let uri = request.uri();
    let mut stream = TcpStream::connect(uri.authority().ok_or_else(|| Error::other("no authority"))?.as_str())?;
    // Longer than any test: an answer that a busy machine is late with is no failure of the server.
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let body = request.body().as_bytes();
    let mut head = format!("POST {} HTTP/1.1\r\nhost: {}\r\n", uri.path(), uri.host().unwrap_or_default());
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().map_err(Error::other)?));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer)
}

fn parse(answer: &[u8]) -> Result<Response<Body>, Error> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(answer).map_err(Error::other)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Err(Error::other("the head is cut off")),
    };
    let mut response = Response::builder().status(head.code.unwrap_or_default());
    for header in head.headers.iter() {
        response = response.header(header.name, header.value);
    }
    response.body(Body::from(answer[length..].to_vec())).map_err(Error::other)
}
