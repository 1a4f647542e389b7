//! A server of one page, `/metrics`: what Prometheus scrapes, and nothing else.
//!
//! It answers one request after the other on a thread of its own and closes each connection. Whoever
//! asks is hostile: the head of a request is bounded in bytes and in time, and nothing of it is kept.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use super::{clock::Stopwatch, metrics::Boards};

/// The longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// The longest that a client may take to ask, and again to take the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much of an answer is sent before the time is looked at again, in bytes.
const PIECE_BYTES: usize = 16 << 10;
/// The format that is answered.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves until the process ends. Returns the address, whose port is known by then.
pub(super) fn serve(address: SocketAddr, boards: Boards) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let answer = move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is its own affair.
            let _ = attend(stream, &boards);
        }
    };
    thread::Builder::new().name("metrics".to_owned()).spawn(answer)?;
    Ok(bound)
}

/// One request, and its answer.
fn attend(mut stream: TcpStream, boards: &Boards) -> io::Result<()> {
    let watch = Stopwatch::start();
    let (mut head, mut part) = (Vec::new(), [0; 1_024]);
    while !is_whole(&head) && head.len() <= HEAD_BYTES_MAX {
        let left = PATIENCE.saturating_sub(watch.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut part)? {
            0 => return Ok(()),
            read => head.extend_from_slice(part.get(..read).unwrap_or_default()),
        }
    }
    let text = || boards.text().ok();
    send(&mut stream, &answer(&head, text), PATIENCE)
}

/// Sends all of it in so long, or gives up: a client that takes a little now and then is as slow as one
/// that takes nothing.
fn send(stream: &mut TcpStream, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
    let watch = Stopwatch::start();
    while !bytes.is_empty() {
        let left = patience.saturating_sub(watch.elapsed());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_write_timeout(Some(left))?;
        let piece = bytes.get(..PIECE_BYTES).unwrap_or(bytes);
        match stream.write(piece)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            sent => bytes = bytes.get(sent..).unwrap_or_default(),
        }
    }
    stream.flush()
}

/// What is answered to these bytes, if the page is empty.
pub(super) fn answer_to(head: &[u8]) -> Vec<u8> {
    answer(head, || Some(String::new()))
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|four| four == b"\r\n\r\n")
}

/// The answer to a head, with the text if it asks for that.
fn answer(head: &[u8], text: impl FnOnce() -> Option<String>) -> Vec<u8> {
    if !is_whole(head) {
        return reply("431 Request Header Fields Too Large", "");
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else { return reply("400 Bad Request", "") };
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    match (method, path) {
        _ if !version.starts_with(b"HTTP/1.") => reply("400 Bad Request", ""),
        (b"GET", b"/metrics") => match text() {
            Some(text) => reply("200 OK", &text),
            None => reply("500 Internal Server Error", ""),
        },
        (b"GET", _) => reply("404 Not Found", ""),
        _ => reply("405 Method Not Allowed", ""),
    }
}

fn reply(status: &str, body: &str) -> Vec<u8> {
    let allow = if status.starts_with("405") { "Allow: GET\r\n" } else { "" };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {length}\r\n{allow}\
         Connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(head: &str) -> String {
        let answer = String::from_utf8(answer(head.as_bytes(), || Some("m 1\n".into()))).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    #[test]
    fn only_the_one_page_is_answered_and_only_to_get() {
        assert_eq!(status("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "200");
        assert_eq!(status("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), "200");
        assert_eq!(status("GET /metrics/../etc/passwd HTTP/1.1\r\n\r\n"), "404");
        assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), "404");
        assert_eq!(status("POST /metrics HTTP/1.1\r\n\r\n"), "405");
        assert_eq!(status("GET /metrics\r\n\r\n"), "400");
        assert_eq!(status("GET /metrics SSH/2\r\n\r\n"), "400");
        assert_eq!(status("\r\n\r\n"), "400");
        assert_eq!(status(&"x".repeat(HEAD_BYTES_MAX + 1)), "431");
    }

    #[test]
    fn an_answer_says_how_long_it_is() {
        let answer = answer(b"GET /metrics HTTP/1.1\r\n\r\n", || Some("m 1\n".into()));
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("Content-Length: 4\r\n") && answer.ends_with("\r\n\r\nm 1\n"));
    }

    #[expect(clippy::disallowed_methods, reason = "a slow client is slow in real time")]
    #[test]
    fn a_client_that_takes_a_little_now_and_then_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut slow = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let reader = thread::spawn(move || {
            let mut part = [0; 700];
            while slow.read(&mut part).is_ok_and(|read| read > 0) {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let watch = Stopwatch::start();
        let sent = send(&mut stream, &vec![b'x'; 64 << 20], Duration::from_millis(300));
        assert!(sent.is_err() && watch.elapsed() < Duration::from_secs(10));
        stream.shutdown(std::net::Shutdown::Both).unwrap();
        drop(reader);
    }

    #[test]
    fn a_client_that_says_too_much_or_goes_away_hurts_nobody() {
        let address = serve("127.0.0.1:0".parse().unwrap(), Boards::default()).unwrap();
        drop(TcpStream::connect(address).unwrap());
        let mut chatty = TcpStream::connect(address).unwrap();
        let _ = chatty.write_all(&vec![b'x'; 4 * HEAD_BYTES_MAX]);
        let mut good = TcpStream::connect(address).unwrap();
        good.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
        let mut text = String::new();
        good.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(serve(address, Boards::default()).is_err(), "the port is taken");
    }
}
