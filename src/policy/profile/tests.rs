//! Clients, attempt by attempt.

use super::*;
use crate::world::Seed;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const LONGEST: u32 = 1_000_000;

/// The pauses in milliseconds until it gives up, when every attempt fails the same way.
fn pauses(profile: &Profile, failure: Failure, headers: &[(&str, &str)], at: u32) -> Vec<u128> {
    let said = Said::read(headers, Timestamp::UNIX_EPOCH);
    let pause = |attempt| match profile.decide_at(attempt, failure, &said, at) {
        Decision::Retry { after } => Some(after.as_millis()),
        Decision::GiveUp => None,
    };
    (1..).map_while(pause).collect()
}

/// The same without jitter for the SDKs, whose jitter only shortens.
fn whole(client: Client, status: u16, headers: &[(&str, &str)]) -> Vec<u128> {
    pauses(&Profile::new(client), Failure::Status(status), headers, LONGEST)
}

const SDKS: [Client; 4] =
    [Client::Openai2, Client::Openai3, Client::Anthropic0, Client::Anthropic2];

#[test]
fn the_sdks_retry_twice() {
    for sdk in SDKS {
        assert_eq!(whole(sdk, 500, &[]), [500, 1_000]);
        let profile = Profile::new(sdk);
        assert_eq!(pauses(&profile, Failure::Status(500), &[], 0), [375, 750]);
        assert_eq!(pauses(&profile, Failure::Connection, &[], LONGEST), [500, 1_000]);
        assert_eq!(pauses(&profile, Failure::Timeout, &[], LONGEST), [500, 1_000]);
        let many = profile.clone().with_retries(8);
        let expected = [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000];
        assert_eq!(pauses(&many, Failure::Status(500), &[], LONGEST), expected);
        let none = profile.with_retries(0);
        assert!(pauses(&none, Failure::Status(500), &[], LONGEST).is_empty());
    }
}

#[test]
fn the_sdks_retry_these() {
    for status in [408, 409, 429, 500, 502, 503, 529, 599] {
        assert_eq!(whole(Client::Anthropic2, status, &[]).len(), 2, "{status}");
    }
    for status in [400, 401, 403, 404, 407, 410, 413, 422, 428, 430, 499] {
        assert!(whole(Client::Anthropic2, status, &[]).is_empty(), "{status}");
    }
}

#[test]
fn the_sdks_differ_in_what_they_believe() {
    let after = |seconds: &str| {
        SDKS.map(|sdk| whole(sdk, 429, &[("retry-after", seconds)]).first().copied().unwrap_or(0))
    };
    assert_eq!(after("60"), [60_000; 4]);
    assert_eq!(after("61"), [500, 61_000, 500, 61_000]);
    assert_eq!(after("120"), [500, 120_000, 500, 120_000]);
    assert_eq!(after("121"), [500, 0, 500, 121_000]);
    assert_eq!(after("4294967"), [500, 0, 500, 4_294_967_000]);
    for none in ["0", "-1", "nan", "soon"] {
        assert_eq!(after(none), [500; 4], "{none}");
    }
}

#[test]
fn the_sdks_read_milliseconds_first_and_obey() {
    let sdk = Client::Openai2;
    let both = [("retry-after-ms", "1500"), ("retry-after", "9")];
    assert_eq!(whole(sdk, 429, &both), [1_500, 1_500]);
    let azure = [("x-ms-retry-after-ms", "1500"), ("retry-after", "9")];
    assert_eq!(whole(sdk, 429, &azure), [9_000, 9_000]);
    assert!(whole(sdk, 429, &[("x-should-retry", "false")]).is_empty());
    assert_eq!(whole(sdk, 400, &[("x-should-retry", "true")]), [500, 1_000]);
    let date = [("retry-after", "Thu, 01 Jan 1970 00:00:07 GMT")];
    assert_eq!(whole(sdk, 503, &date), [7_000, 7_000]);
}

#[test]
fn gateways_retry_as_they_do() {
    let retries = |client, status| {
        let profile = Profile::new(client).with_retries(1);
        pauses(&profile, Failure::Status(status), &[], LONGEST).len()
    };
    let row = |client| [400, 401, 404, 408, 429, 500, 501, 529].map(|it| retries(client, it));
    assert_eq!(row(Client::Langchain), [1; 8]);
    assert_eq!(row(Client::Tensorzero), [1; 8]);
    assert_eq!(row(Client::CcrChain), [1; 8]);
    assert_eq!(row(Client::CcrOff), [0; 8]);
    assert_eq!(row(Client::CcrRetry), [0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!(row(Client::Litellm), [0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!(row(Client::LitellmGroup), [0, 1, 0, 1, 1, 1, 1, 1]);
    assert_eq!(row(Client::Portkey), [0, 0, 0, 0, 1, 1, 0, 0]);
    assert_eq!(row(Client::Bifrost), [0, 0, 0, 0, 1, 1, 0, 1]);
    for client in [Client::Portkey, Client::CcrRetry, Client::Tensorzero, Client::CcrOff] {
        let profile = Profile::new(client).with_retries(1);
        let expected = usize::from(client != Client::CcrOff);
        assert_eq!(pauses(&profile, Failure::Connection, &[], 0).len(), expected, "{client:?}");
        assert_eq!(pauses(&profile, Failure::Timeout, &[], 0).len(), expected, "{client:?}");
    }
    assert!(whole(Client::Portkey, 500, &[]).is_empty(), "unless asked to");
    assert_eq!(whole(Client::CcrRetry, 500, &[]), [1_000]);
}

#[test]
fn gateways_believe_as_much_as_they_do() {
    let after = |client, headers: &[(&str, &str)]| {
        let profile = Profile::new(client).with_retries(1);
        pauses(&profile, Failure::Status(429), headers, 0)
    };
    let minute = [("retry-after", "60")];
    assert_eq!(after(Client::Litellm, &minute), [60_000]);
    assert_eq!(after(Client::CcrRetry, &[("retry-after", "90")]), [60_000]);
    assert!(after(Client::Portkey, &minute).is_empty());
    assert_eq!(after(Client::Portkey, &[("x-ms-retry-after-ms", "700")]), [700]);
    assert_eq!(after(Client::Tensorzero, &minute), [1_000]);
    assert_eq!(after(Client::Langchain, &minute), [1_000]);
    assert!(after(Client::CcrOff, &minute).is_empty());
    let no_sdk = [("x-should-retry", "false"), ("retry-after-ms", "5")];
    assert_eq!(after(Client::CcrRetry, &no_sdk), [1_000]);
}

#[test]
fn litellm_adds_its_jitter_to_what_was_asked_for() {
    let wait = |seconds, at| {
        let profile = Profile::new(Client::Litellm).with_retries(1);
        pauses(&profile, Failure::Status(429), &[("retry-after", seconds)], at)
    };
    assert_eq!(wait("10", 0), [10_000]);
    assert_eq!(wait("10", 400_000), [10_300]);
    assert_eq!(wait("10", LONGEST), [10_750]);
    assert_eq!(wait("61", LONGEST), [1_250], "its own backoff has it already");
    let ccr = Profile::new(Client::CcrRetry);
    assert_eq!(ccr.added(LONGEST), ms(0));
}

#[test]
fn a_draw_decides_the_jitter() {
    let profile = Profile::new(Client::Openai2);
    let headers: [(&str, &str); 0] = [];
    let decide = |seed| {
        let mut draws = Seed(seed).stream("sdk");
        let failure = Failure::Status(500);
        profile.decide(1, failure, &headers, Timestamp::UNIX_EPOCH, &mut draws)
    };
    let mut different = Vec::new();
    for seed in 0..20 {
        let Decision::Retry { after } = decide(seed) else { continue };
        assert!(ms(375) <= after && after <= ms(500), "{after:?}");
        if !different.contains(&after) {
            different.push(after);
        }
    }
    assert!(different.len() > 15, "{different:?}");
}

#[test]
fn a_plain_client_retries_whatever_fails() {
    let plain = Profile::plain(Retry::preset(Preset::Polly));
    let headers = [("retry-after", "9"), ("x-should-retry", "false")];
    assert_eq!(pauses(&plain, Failure::Status(404), &headers, 0), [2_000; 3]);
}

#[test]
fn clients_have_names() {
    for client in Client::ALL {
        assert_eq!(Client::parse(client.as_str()), Some(client));
    }
    assert_eq!(Client::parse("nobody"), None);
    assert_eq!(Client::parse("openai_3"), Some(Client::Openai3));
}

#[test]
fn grpc_retries_its_codes_and_obeys_pushback() {
    let retry = Retry::grpc(3, ms(100), 2_000, ms(1_000));
    let grpc = Grpc { retry, retryable: vec![14] };
    let decide = |attempt, since, code, pushback| match grpc
        .decide_at(attempt, since, code, pushback, 500_000)
    {
        Decision::Retry { after } => Some(after.as_millis()),
        Decision::GiveUp => None,
    };
    assert_eq!([decide(1, 1, 14, None), decide(2, 2, 14, None)], [Some(100), Some(200)]);
    assert_eq!(decide(3, 3, 14, None), None);
    assert_eq!(decide(1, 1, 13, None), None);
    let after = Some(Pushback::After(ms(7)));
    assert_eq!([decide(1, 1, 14, after), decide(1, 1, 13, after)], [Some(7), None]);
    assert_eq!(decide(1, 1, 14, Some(Pushback::Stop)), None);
    assert_eq!(decide(2, 1, 14, None), Some(100), "pushback starts the backoff anew");
}
