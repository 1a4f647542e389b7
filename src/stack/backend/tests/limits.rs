//! Limits, and what a backend says of when to come back.

use super::*;

fn limited(provider: Provider, limits: meter::Settings) -> settings::Backend {
    settings::Backend { limits, ..settings(provider, ErrorMix::default()) }
}

fn two_a_minute() -> meter::Settings {
    meter::Settings { requests_per_minute: Some(2), ..meter::Settings::default() }
}

#[test]
fn a_limit_refuses_until_the_next_permit_is_there() {
    let run = |third: u64| {
        play(limited(Provider::Anthropic, two_a_minute()), move |client| {
            client.ask(0, 0, None);
            client.ask(0, 0, None);
            client.ask(third, 0, None);
        })
    };
    assert_eq!(run(29_999).answers()[2], (29_999, "429".to_owned()));
    assert_eq!(run(30_000).answers()[2], (31_000, "0 tokens".to_owned()));
    let refused = run(500);
    assert_eq!(
        refused.headers(0),
        "request-id: req_rust-501\n\
         retry-after: 30\n\
         anthropic-ratelimit-requests-limit: 2\n\
         anthropic-ratelimit-requests-remaining: 0\n\
         anthropic-ratelimit-requests-reset: 1994-11-06T08:50:37Z",
        "29.5 s are rounded up"
    );
    assert!(refused.headers(1).starts_with("anthropic-ratelimit-requests-limit: 2\n"));
}

#[test]
fn a_limit_says_when_to_come_back_as_its_provider_does() {
    let refused = |provider, retry_after| {
        let settings = settings::Backend { retry_after, ..limited(provider, two_a_minute()) };
        let run = play(settings, |client| {
            client.ask(0, 0, None);
            client.ask(0, 0, None);
            client.ask(500, 0, Some(1));
        });
        assert_eq!(run.answers()[0], (500, "429".to_owned()));
        run.headers(0)
    };
    assert_eq!(refused(Provider::Generic, None), "retry-after: 30");
    assert_eq!(
        refused(Provider::Openai, None),
        "x-request-id: req_rust-501\n\
         retry-after: 30\n\
         retry-after-ms: 29500\n\
         x-ratelimit-limit-requests: 2\n\
         x-ratelimit-remaining-requests: 0\n\
         x-ratelimit-reset-requests: 59.5s"
    );
    let lie = Some(RetryAfter::Raw("soon".to_owned()));
    assert_eq!(refused(Provider::Generic, lie), "retry-after: soon");
}

#[test]
fn a_request_that_asks_for_more_than_a_minute_s_worth_is_not_told_when_to_come_back() {
    let limits =
        meter::Settings { output_tokens_per_minute: Some(39), ..meter::Settings::default() };
    let run = play(limited(Provider::Generic, limits), |client| client.ask(0, 40, None));
    assert_eq!((run.answer(), run.headers(0)), ((0, "429".to_owned()), String::new()));
}

#[test]
fn what_is_refused_takes_from_no_meter() {
    let setup = Setup::new(limited(
        Provider::Generic,
        meter::Settings { requests_per_minute: Some(1), ..meter::Settings::default() },
    ));
    let errors = Some(always(ErrorKind::Credential));
    setup.outages.borrow_mut().push((0, Outage { errors, ..Outage::default() }));
    let outages = Rc::clone(&setup.outages);
    let run = play_in(setup, move |client| {
        client.ask(0, 0, None);
        let outages = Rc::clone(&outages);
        client.env.after(Duration::from_millis(1), move |_, _| outages.borrow_mut().clear());
        client.ask(2, 0, None);
        client.ask(3, 0, None);
    });
    let answers: Vec<String> = run.answers().into_iter().map(|(_, answer)| answer).collect();
    assert_eq!(answers, ["401", "429", "0 tokens"]);
}

/// Two requests for 100 tokens of 100 a minute; whether the second is let in.
fn second_is_let_in(errors: ErrorMix, close_at: Option<u64>, second: u64) -> bool {
    let limits =
        meter::Settings { output_tokens_per_minute: Some(100), ..meter::Settings::default() };
    let settings = settings::Backend { errors, ..limited(Provider::Generic, limits) };
    let run = play(settings, move |client| {
        client.ask(0, 100, Some(1));
        client.ask(second, 100, None);
        if let Some(at) = close_at {
            client.env.after(Duration::from_millis(at), |client, _| {
                let close = CloseStream { stream: StreamId(1), reader: client.reader };
                client.env.send(&client.backend, close);
            });
        }
    });
    !run.answers().iter().any(|(_, answer)| answer == "429")
}

#[test]
fn output_is_reserved_as_asked_for_and_charged_as_generated() {
    let none = ErrorMix::default();
    assert!(!second_is_let_in(none, None, 59_999), "all was generated");
    assert!(second_is_let_in(none, None, 60_000));
    assert!(!second_is_let_in(none, Some(500), 400), "reserved");
    assert!(second_is_let_in(none, Some(500), 600), "nothing was generated");
    let failed = always(ErrorKind::ServerError);
    assert!(!second_is_let_in(failed, None, 999));
    assert!(second_is_let_in(failed, None, 1_001));
    assert!(second_is_let_in(always(ErrorKind::Silence), None, 1));
}

#[test]
fn an_outage_says_its_own_retry_after() {
    let said = |kind, of_outage: Option<RetryAfter>| {
        let seconds = RetryAfter::Seconds(Duration::from_millis(1_500));
        let settings = settings::Backend {
            retry_after: Some(seconds),
            ..settings(Provider::Generic, always(kind))
        };
        let setup = Setup::new(settings);
        let outage = Outage { retry_after: of_outage, ..Outage::default() };
        setup.outages.borrow_mut().push((0, outage));
        play_in(setup, |client| client.ask(0, 40, None)).headers(0)
    };
    let date = Some(RetryAfter::Date(Duration::from_secs(20)));
    assert_eq!(said(ErrorKind::RateLimited, None), "retry-after: 2");
    let on = "retry-after: Sun, 06 Nov 1994 08:49:57 GMT";
    assert_eq!(said(ErrorKind::RateLimited, date.clone()), on);
    assert_eq!(said(ErrorKind::Overloaded, date.clone()), on);
    assert!(said(ErrorKind::AcceptedThenOverloaded, date.clone()).starts_with("retry-after: Sun"));
    for kind in [ErrorKind::ServerError, ErrorKind::Quota, ErrorKind::Conflict] {
        assert_eq!(said(kind, date.clone()), "", "{kind:?}");
    }
}

#[test]
fn an_outage_that_tells_its_end_says_what_is_left_of_it() {
    let said = |asked_at: u64| {
        let setup = Setup::new(settings(Provider::Generic, always(ErrorKind::RateLimited)));
        let ends = Some(Time::from_nanos(20_000_000_000));
        setup.outages.borrow_mut().push((0, Outage { tells_end: ends, ..Outage::default() }));
        play_in(setup, move |client| client.ask(asked_at, 40, None)).headers(0)
    };
    assert_eq!(said(0), "retry-after: 20");
    assert_eq!(said(12_500), "retry-after: 8");
    assert_eq!(said(25_000), "retry-after: 0");
}
