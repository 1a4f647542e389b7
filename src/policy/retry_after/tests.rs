//! Headers, true and false ones.

use proptest::prelude::*;

use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Sunday, 6 November 1994, 08:49:00 UTC.
fn now() -> Timestamp {
    Timestamp::from_second(784_111_740).unwrap_or_default()
}

fn read(headers: &[(&str, &str)]) -> Said {
    Said::read(headers, now())
}

fn retry_after(value: &str) -> Option<u128> {
    read(&[("Retry-After", value)]).retry_after.map(|wait| wait.as_millis())
}

#[test]
fn seconds_need_not_be_whole() {
    assert_eq!(retry_after("60"), Some(60_000));
    assert_eq!(retry_after(" 1.5 "), Some(1_500));
    assert_eq!(retry_after("+2"), Some(2_000));
    assert_eq!(retry_after("0"), Some(0));
    assert_eq!(retry_after(".25"), Some(250));
    assert_eq!(retry_after("3."), Some(3_000));
    assert_eq!(seconds("0.0000000019"), Some(Duration::from_nanos(1)));
    assert_eq!(millis("1.5"), Some(Duration::from_micros(1_500)));
}

#[test]
fn a_lie_is_no_wait_or_the_longest() {
    for none in ["-1", "-0.5", "-inf", "nan", "NaN"] {
        assert_eq!(retry_after(none), Some(0), "{none}");
    }
    let longest = Some(Duration::from_nanos(u64::MAX));
    for much in ["inf", "Infinity", "99999999999999999999", &"9".repeat(400)] {
        assert_eq!(seconds(much), longest, "{much}");
    }
    assert_eq!(seconds("18446744073.709551616"), longest);
    assert_eq!(seconds("18446744073.709551614"), Some(Duration::from_nanos(u64::MAX - 1)));
    for nothing in ["", " ", ".", "-", "soon", "1,5", "0x10", "1e3", "--1", "1 2", "1.2.3", "٣"] {
        assert_eq!(retry_after(nothing), None, "{nothing:?}");
    }
}

#[test]
fn dates_are_read_in_all_three_forms() {
    let forms = [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ];
    for form in forms {
        assert_eq!(retry_after(form), Some(37_000), "{form}");
    }
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0));
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:48:59 GMT"), Some(0), "it is past");
    assert_eq!(retry_after("Tue, 06 Dec 1994 08:49:00 GMT"), Some(30 * 86_400_000));
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:60 GMT"), Some(59_000), "a leap second");
}

#[test]
fn what_is_no_date_is_nothing() {
    let broken = [
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37:00 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nix 1994 08:49:37 GMT",
        "Sun, 06 Nov 194 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Su, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  6 08:49:37",
        "06 Nov 1994 08:49:37 GMT",
        "Sun",
        "Sun, 06",
        "Sun, +6 Nov 1994 08:49:37 GMT",
    ];
    for text in broken {
        assert_eq!(http_date(text, now()), None, "{text}");
    }
}

#[test]
fn two_digits_of_a_year_are_at_most_50_years_ahead() {
    let year = |text: &str| {
        let date = http_date(text, now()).unwrap_or_default();
        jiff::tz::TimeZone::UTC.to_datetime(date).year()
    };
    assert_eq!(year("Sunday, 06-Nov-44 08:49:00 GMT"), 1944);
    assert_eq!(year("Sunday, 06-Nov-99 08:49:00 GMT"), 1999);
    let in_2026 = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let year = |text: &str| {
        let date = http_date(text, in_2026).unwrap_or_default();
        jiff::tz::TimeZone::UTC.to_datetime(date).year()
    };
    assert_eq!(year("Sunday, 01-Jan-76 00:00:00 GMT"), 2076, "50 years to the second");
    assert_eq!(year("Sunday, 01-Jan-76 00:00:01 GMT"), 1976);
}

#[test]
fn every_month_and_day_has_its_name() {
    let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
    let days = "Mon Tue Wed Thu Fri Sat Sun Mon Tue Wed Thu Fri";
    for (number, (month, day)) in (1..).zip(months.split(' ').zip(days.split(' '))) {
        let date = http_date(&format!("{day}, 01 {month} 2001 00:00:00 GMT"), now());
        let date = jiff::tz::TimeZone::UTC.to_datetime(date.unwrap_or_default());
        assert_eq!((date.year(), date.month(), date.day()), (2001, number, 1));
    }
}

#[test]
fn durations_are_read_as_openai_writes_them() {
    let read = |text: &str| duration(text).map(|it| it.as_nanos());
    assert_eq!(read("6m0s"), Some(360_000_000_000));
    assert_eq!(read("12ms"), Some(12_000_000));
    assert_eq!(read("1s"), Some(1_000_000_000));
    assert_eq!(read("1h2m3.5s"), Some(3_723_500_000_000));
    assert_eq!(read("1d"), Some(86_400_000_000_000));
    assert_eq!(read("7us8ns"), Some(7_008));
    assert_eq!(read("7µs"), Some(7_000));
    assert_eq!(read("9999999999999d"), Some(u128::from(u64::MAX)));
    for nothing in ["", "s", "5", "5x", "1s2", "-1s", "1..5s", "1m s"] {
        assert_eq!(read(nothing), None, "{nothing:?}");
    }
}

#[test]
fn anthropic_says_an_instant() {
    let reset: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap_or_default();
    assert_eq!(until(now())(reset), ms(30_000));
    assert_eq!(until(reset)(now()), ms(0));
    assert!(until(Timestamp::MIN)(Timestamp::MAX) > ms(1));
}

#[test]
fn names_are_read_in_any_case_and_the_first_of_two_counts() {
    let said = read(&[("RETRY-AFTER", "9"), ("Retry-After-Ms", "1500"), ("retry-after", "8")]);
    assert_eq!((said.retry_after, said.retry_after_ms), (Some(ms(9_000)), Some(ms(1_500))));
    assert_eq!((said.wait(), said.sdk_wait()), (Some(ms(1_500)), Some(ms(1_500))));
    let azure = read(&[("retry-after", "9"), ("x-ms-retry-after-ms", "700")]);
    assert_eq!((azure.wait(), azure.sdk_wait()), (Some(ms(700)), Some(ms(9_000))));
    let broken = read(&[("retry-after-ms", "soon"), ("retry-after", "9")]);
    assert_eq!((broken.wait(), broken.sdk_wait()), (Some(ms(9_000)), Some(ms(9_000))));
    let none = read(&[("date", "9"), ("x-retry-after", "9")]);
    assert_eq!((none, none.wait()), (Said::default(), None));
    let amazon = |value| read(&[("x-amz-retry-after", value)]).x_amz_retry_after;
    assert_eq!([amazon("1500"), amazon("-1"), amazon("1.5")], [Some(ms(1_500)), None, None]);
}

#[test]
fn a_server_may_say_whether_to_retry() {
    let should = |value| read(&[("X-Should-Retry", value)]).should_retry;
    assert_eq!([should("true"), should("false")], [Some(true), Some(false)]);
    assert_eq!([should("True"), should("1"), should("")], [None; 3]);
    let twice = read(&[("x-should-retry", "false"), ("x-should-retry", "true")]);
    assert_eq!(twice.should_retry, Some(false));
}

#[test]
fn pushback_is_a_wait_or_a_stop() {
    let pushback = |value| read(&[("grpc-retry-pushback-ms", value)]).pushback;
    assert_eq!(pushback("0"), Some(Pushback::After(ms(0))));
    assert_eq!(pushback("250"), Some(Pushback::After(ms(250))));
    for stop in ["-1", "", "soon", "1.5", "99999999999"] {
        assert_eq!(pushback(stop), Some(Pushback::Stop), "{stop:?}");
    }
    let twice = [("grpc-retry-pushback-ms", "1"), ("grpc-retry-pushback-ms", "1")];
    assert_eq!(read(&twice).pushback, Some(Pushback::Stop));
    assert_eq!(read(&[]).pushback, None);
}

/// What a rule makes of a wait that is asked for, when its own backoff is half a second; 0 is to
/// give up.
fn applied(rule: Rule, asked: &[u64]) -> Vec<u128> {
    let wait = |asked: &u64| match rule.apply(Some(ms(*asked)), ms(500)) {
        Wait::For(wait) => wait.as_millis(),
        Wait::GiveUp => 0,
    };
    asked.iter().map(wait).collect()
}

#[test]
fn rules_believe_as_much_as_their_clients_do() {
    assert_eq!(applied(Rule::Ignore, &[0, 1, 60_000]), [500, 500, 500]);
    assert_eq!(applied(Rule::SDK_2, &[0, 1, 60_000, 60_001]), [500, 1, 60_000, 500]);
    assert_eq!(applied(Rule::LITELLM, &[0, 1, 60_000, 60_001]), [500, 1, 60_000, 500]);
    assert_eq!(applied(Rule::OPENAI_3, &[0, 1, 120_000, 120_001]), [500, 1, 120_000, 0]);
    let days = 4_294_967_000;
    assert_eq!(
        applied(Rule::ANTHROPIC_2, &[0, 61_000, days, days + 1]),
        [500, 61_000, u128::from(days), 500]
    );
    assert_eq!(applied(Rule::CCR, &[0, 1, 60_000, 90_000]), [500, 1, 60_000, 60_000]);
    assert_eq!(applied(Rule::PORTKEY, &[0, 59_999, 60_000]), [500, 59_999, 0]);
    assert_eq!(
        applied(Rule::AWS_2026, &[0, 500, 501, 5_500, 5_501]),
        [500, 500, 501, 5_500, 5_500]
    );
    assert_eq!(applied(Rule::AWS_2020, &[1, 20_000, 30_000]), [1, 20_000, 20_000]);
    let micros = Duration::from_micros(10);
    assert_eq!(Rule::CCR.apply(Some(micros), ms(500)), Wait::For(ms(1)));
    for rule in [Rule::Ignore, Rule::SDK_2, Rule::OPENAI_3, Rule::CCR, Rule::AWS_2026] {
        assert_eq!(rule.apply(None, ms(500)), Wait::For(ms(500)), "{rule:?}");
    }
}

#[test]
fn a_wait_ends_before_the_deadline() {
    assert_eq!(within(ms(99), Some(ms(100))), Some(ms(99)));
    assert_eq!(within(ms(100), Some(ms(100))), None);
    assert_eq!(within(ms(101), Some(ms(100))), None);
    assert_eq!(within(Duration::MAX, None), Some(Duration::MAX));
    assert_eq!(within(ms(0), Some(ms(0))), None);
}

proptest! {
    #[test]
    fn no_header_makes_a_wait_outlast_the_deadline(
        value in ".{0,40}", number in "[+-]?[0-9]{0,30}(\\.[0-9]{0,30})?", left in 0_u64..100_000,
        own in 0_u64..100_000,
    ) {
        let names = [
            "retry-after", "retry-after-ms", "x-ms-retry-after-ms", "x-amz-retry-after",
            "grpc-retry-pushback-ms", "x-should-retry",
        ];
        let rules = [
            Rule::Ignore, Rule::SDK_2, Rule::OPENAI_3, Rule::ANTHROPIC_2, Rule::CCR, Rule::PORTKEY,
            Rule::AWS_2026,
        ];
        for (name, value) in names.into_iter().flat_map(|name| [(name, &value), (name, &number)]) {
            let said = Said::read(&[(name, value)], now());
            for rule in rules {
                if let Wait::For(wait) = rule.apply(said.wait(), ms(own))
                    && let Some(wait) = within(wait, Some(ms(left)))
                {
                    prop_assert!(wait < ms(left));
                }
            }
        }
        let _ = duration(&value);
    }
}
