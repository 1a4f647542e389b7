//! A collector that takes spans over OTLP/HTTP, as JSON: one POST on a connection of its own.
//!
//! What it answers is bounded in bytes and in time, and nothing of it is kept but its status and a short
//! text. It must never wait for long: a run is worth more than its spans.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use super::{clock::Stopwatch, error::CliError};

/// The longest that it may take to connect.
const CONNECTING: Duration = Duration::from_secs(3);
/// The longest that it may take to take the spans and to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that is read of an answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The most that is told of an answer, in characters.
const TOLD_MAX: usize = 200;
/// OTLP's port over HTTP, and its path for traces.
const DEFAULTS: (&str, &str) = ("4318", "/v1/traces");

/// Where spans are posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Collector {
    /// Host and port.
    authority: String,
    path: String,
}

impl Collector {
    /// The collector of an address like `http://localhost:4318/v1/traces`; `None` if it is no address
    /// but a file.
    pub(super) fn parse(text: &str) -> Option<Result<Collector, CliError>> {
        let (scheme, rest) = text.split_once("://")?;
        let refused = |what: &str| {
            let help = "name a file, or a collector as in http://localhost:4318/v1/traces";
            Some(Err(CliError::usage(format!("{what} in --otlp"), help)))
        };
        if scheme != "http" {
            return refused("only http:// is known");
        }
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || rest.len() > 2_000 {
            return refused("blanks or strange letters");
        }
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        // Of `[::1]:4318` the colons in brackets are no port.
        let after_host = authority.rsplit(']').next().unwrap_or_default();
        let (host, port) = match after_host.rsplit_once(':') {
            Some((_, port)) => (authority.strip_suffix(port), port),
            None => (Some(authority), DEFAULTS.0),
        };
        let host = host.unwrap_or_default().trim_end_matches(':');
        if host.is_empty() || host.contains('@') || port.parse::<u16>().is_err() {
            return refused("no host, or no port that can be one,");
        }
        let path = if path.is_empty() || path == "/" { DEFAULTS.1 } else { path };
        Some(Ok(Collector { authority: format!("{host}:{port}"), path: path.to_owned() }))
    }

    /// Looks whether anybody is there, before anything runs.
    pub(super) fn look(&self) -> Result<(), CliError> {
        self.connect().map(drop).map_err(|error| self.failed(&error.to_string()))
    }

    /// Hands the spans in.
    pub(super) fn post(&self, body: &[u8]) -> Result<(), CliError> {
        let answer = self.exchange(body).map_err(|error| self.failed(&error.to_string()))?;
        read_answer(&answer).map_err(|why| self.failed(&why))
    }

    fn failed(&self, why: &str) -> CliError {
        CliError::usage(
            format!("cannot post spans to http://{}{}: {why}", self.authority, self.path),
            "start the collector, or write a file with --otlp FILE",
        )
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let addresses: Vec<SocketAddr> = self.authority.to_socket_addrs()?.collect();
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses.iter().take(4) {
            match TcpStream::connect_timeout(address, CONNECTING) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn exchange(&self, body: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.connect()?;
        let watch = Stopwatch::start();
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nUser-Agent: seedbed/{}\r\nConnection: close\r\n\r\n",
            self.path,
            self.authority,
            body.len(),
            env!("CARGO_PKG_VERSION"),
        );
        stream.write_all(head.as_bytes())?;
        // Whoever refuses may answer before it has read all.
        let written = stream.write_all(body).and_then(|()| stream.flush());
        let (mut answer, mut part) = (Vec::new(), [0; 4_096]);
        while answer.len() < ANSWER_BYTES_MAX && !is_whole(&answer) {
            let left = PATIENCE.saturating_sub(watch.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut part) {
                Ok(0) => break,
                Ok(read) => answer.extend_from_slice(part.get(..read).unwrap_or_default()),
                Err(_) if !answer.is_empty() => break,
                Err(error) => return Err(written.err().unwrap_or(error)),
            }
        }
        Ok(answer)
    }
}

/// Whether an answer that says how long it is is all there.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| answer.len() >= head.len() + 4 + length)
}

/// What an answer means: all is well, or why it is not.
fn read_answer(answer: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let line = head.lines().next().unwrap_or_default();
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    let Some(status) = status.and_then(|status| status.parse::<u16>().ok()) else {
        return Err("the answer is no HTTP".to_owned());
    };
    if !(200..300).contains(&status) {
        return Err(format!("it answers {status}{}", told(body)));
    }
    // `{"partialSuccess":{"rejectedSpans":"3","errorMessage":"…"}}`
    let answer: serde_json::Value = serde_json::from_str(body.trim()).unwrap_or_default();
    let rejected = answer.pointer("/partialSuccess/rejectedSpans");
    let rejected = rejected.map(|count| count.to_string().replace('"', ""));
    match rejected.filter(|count| count != "0") {
        Some(count) => Err(format!("it rejects {} of the spans{}", short(&count), told(body))),
        None => Ok(()),
    }
}

fn told(body: &str) -> String {
    let text = short(body.trim());
    if text.is_empty() { text } else { format!(": {text}") }
}

/// What a terminal may be shown of a text from outside.
fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TOLD_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    fn parsed(text: &str) -> Option<Result<(String, String), String>> {
        let collector = Collector::parse(text)?;
        Some(collector.map(|it| (it.authority, it.path)).map_err(|error| error.report()))
    }

    /// What is said of a collector that answers so.
    fn posted(answer: &'static [u8]) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = thread::Builder::new().spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut part = [0; 1_024];
            while !asked.ends_with(b"{\"spans\":1}") {
                let read = stream.read(&mut part).unwrap();
                asked.extend_from_slice(&part[..read]);
            }
            let _ = stream.write_all(answer);
            String::from_utf8(asked).unwrap()
        });
        let collector = Collector::parse(&format!("http://{address}")).unwrap().unwrap();
        let result = collector.post(b"{\"spans\":1}").map_err(|error| error.report());
        let asked = serving.unwrap().join().unwrap();
        assert!(asked.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("Content-Length: 11\r\n"), "{asked}");
        result
    }

    #[test]
    fn an_address_has_a_port_and_a_path_if_it_says_none() {
        let is = |authority: &str, path: &str| Some(Ok((authority.to_owned(), path.to_owned())));
        assert_eq!(parsed("http://otel"), is("otel:4318", "/v1/traces"));
        assert_eq!(parsed("http://otel:80/"), is("otel:80", "/v1/traces"));
        assert_eq!(parsed("http://[::1]/in?x=1"), is("[::1]:4318", "/in?x=1"));
        assert_eq!(parsed("http://[::1]:9"), is("[::1]:9", "/v1/traces"));
        assert_eq!(parsed("spans.json"), None);
        let refused = [
            "https://otel",
            "http://",
            "http://:80",
            "http://a:b",
            "http://a:70000",
            "http://u@h/x",
            "http://a b",
        ];
        for text in refused {
            assert!(parsed(text).is_some_and(|parsed| parsed.is_err()), "{text}");
        }
    }

    #[test]
    fn an_answer_says_whether_the_spans_were_taken() {
        assert_eq!(posted(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), Ok(()));
        assert_eq!(posted(b"HTTP/1.0 202 Accepted\r\n\r\n"), Ok(()));
        let says = |answer, part: &str| {
            let said = posted(answer).unwrap_err();
            assert!(said.contains(part), "{part} in {said}");
        };
        says(
            b"HTTP/1.1 415 No\r\ncontent-length: 9\r\n\r\nno\x1b[31m JSON",
            "it answers 415: no [31m",
        );
        says(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "it answers 302");
        says(b"SSH-2.0-x\r\n", "no HTTP");
        says(b"", "no HTTP");
        let partial = b"HTTP/1.1 200 OK\r\n\r\n{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"late\"}}";
        says(partial, "rejects 3 of the spans");
    }

    #[test]
    fn an_answer_without_end_is_cut() {
        let endless: &'static [u8] = Box::leak(vec![b'x'; 3 * ANSWER_BYTES_MAX].into_boxed_slice());
        assert!(posted(endless).unwrap_err().contains("no HTTP"));
    }

    #[test]
    fn nobody_there_is_found_before_the_run() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let collector = Collector::parse(&format!("http://{address}")).unwrap().unwrap();
        collector.look().unwrap();
        drop(listener);
        let said = collector.look().unwrap_err().report();
        assert!(said.contains("cannot post spans to http://127.0.0.1:"), "{said}");
    }
}
