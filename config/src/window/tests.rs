use proptest::prelude::*;

use super::*;

fn windows(spans: &[&str], zone: &str) -> Windows {
    Windows::parse(spans, Some(zone)).unwrap_or_else(|error| panic!("{error}"))
}

/// `2026-12-01T12:00+01:00` in seconds.
fn secs(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}")).as_second()
}

/// Checks instants against `open`, or the instant of the next opening.
fn check(windows: &Windows, cases: &[(&str, &str)]) {
    for (now, expected) in cases {
        let found = windows.open_at(secs(now));
        let expected = if *expected == "open" { Ok(()) } else { Err(secs(expected)) };
        assert_eq!(found, expected, "{windows} at {now}");
    }
}

#[test]
fn without_windows_it_is_always() {
    let always = Windows::default();
    assert!(always.is_always());
    for now in [i64::MIN, 0, i64::MAX] {
        assert_eq!(always.open_at(now), Ok(()));
    }
    assert!(windows(&["00:00-24:00"], "Europe/Berlin").is_always());
    assert!(windows(&["12:00-00:00", "Mon-Sun 00:00-12:00"], "UTC").is_always());
    assert!(!windows(&["00:00-23:59"], "UTC").is_always());
    assert!(!windows(&["Mon-Sat"], "UTC").is_always());
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
    // 2026-12-01 is a Tuesday.
    check(
        &windows(&["Mon-Fri 22:00-06:00"], "UTC"),
        &[
            ("2026-12-01T21:59:59Z", "2026-12-01T22:00Z"),
            ("2026-12-01T22:00Z", "open"),
            ("2026-12-02T05:59:59Z", "open"),
            ("2026-12-02T06:00Z", "2026-12-02T22:00Z"),
            // Friday's night lasts until Saturday morning; Sunday's does not exist.
            ("2026-12-05T05:00Z", "open"),
            ("2026-12-05T06:00Z", "2026-12-07T22:00Z"),
            ("2026-12-07T05:00Z", "2026-12-07T22:00Z"),
        ],
    );
    check(
        &windows(&["Sun 23:00-24:00"], "UTC"),
        &[("2026-12-06T23:59:59Z", "open"), ("2026-12-07T00:00Z", "2026-12-13T23:00Z")],
    );
}

#[test]
fn of_two_windows_the_nearer_one_is_next() {
    check(
        &windows(&["Mon-Fri 22:00-23:00", "Sat,Sun"], "UTC"),
        &[
            ("2026-12-04T22:30Z", "open"),
            ("2026-12-04T23:00Z", "2026-12-05T00:00Z"),
            ("2026-12-05T12:00Z", "open"),
            ("2026-12-07T00:00Z", "2026-12-07T22:00Z"),
        ],
    );
}

#[test]
fn times_are_those_of_the_zone() {
    check(
        &windows(&["01:00-02:00"], "America/New_York"),
        &[("2026-12-01T05:59Z", "2026-12-01T06:00Z"), ("2026-07-01T05:30Z", "open")],
    );
    check(&Windows::parse(&["01:00-02:00"], None).expect("UTC"), &[("2026-07-01T01:30Z", "open")]);
}

#[test]
fn when_clocks_go_forward_the_skipped_hour_never_comes() {
    // Berlin, 2027-03-28: 01:59:59+01:00 is followed by 03:00:00+02:00.
    check(
        &windows(&["Sat 22:00-06:00"], "Europe/Berlin"),
        &[
            ("2027-03-27T21:59+01:00", "2027-03-27T22:00+01:00"),
            ("2027-03-28T03:00+02:00", "open"),
            ("2027-03-28T05:59+02:00", "open"),
            ("2027-03-28T06:00+02:00", "2027-04-03T22:00+02:00"),
        ],
    );
    check(
        &windows(&["01:00-02:30"], "Europe/Berlin"),
        &[
            ("2027-03-28T01:59:59+01:00", "open"),
            ("2027-03-28T03:00+02:00", "2027-03-29T01:00+02:00"),
        ],
    );
    // It opens with the jump, not half an hour after it.
    check(
        &windows(&["02:30-04:00"], "Europe/Berlin"),
        &[
            ("2027-03-28T01:00+01:00", "2027-03-28T03:00+02:00"),
            ("2027-03-28T03:59+02:00", "open"),
            ("2027-03-28T04:00+02:00", "2027-03-29T02:30+02:00"),
        ],
    );
    check(
        &windows(&["Sun 02:10-02:50"], "Europe/Berlin"),
        &[("2027-03-28T01:00+01:00", "2027-04-04T02:10+02:00")],
    );
}

#[test]
fn when_clocks_go_back_the_hour_comes_twice() {
    // Berlin, 2026-10-25: 02:59:59+02:00 is followed by 02:00:00+01:00.
    check(
        &windows(&["02:10-02:20"], "Europe/Berlin"),
        &[
            ("2026-10-25T02:00+02:00", "2026-10-25T02:10+02:00"),
            ("2026-10-25T02:10+02:00", "open"),
            ("2026-10-25T02:20+02:00", "2026-10-25T02:10+01:00"),
            ("2026-10-25T02:15+01:00", "open"),
            ("2026-10-25T02:20+01:00", "2026-10-26T02:10+01:00"),
        ],
    );
    check(
        &windows(&["Sat 22:00-02:30"], "Europe/Berlin"),
        &[
            ("2026-10-25T02:29+02:00", "open"),
            ("2026-10-25T02:30+02:00", "2026-10-25T02:00+01:00"),
            ("2026-10-25T02:30+01:00", "2026-10-31T22:00+01:00"),
        ],
    );
}

#[test]
fn strange_instants_and_zones_have_a_next_opening_too() {
    // Samoa had no 2011-12-30, a Friday.
    check(
        &windows(&["Fri 10:00-11:00"], "Pacific/Apia"),
        &[("2011-12-29T12:00-10:00", "2012-01-06T10:00+14:00")],
    );
    let nights = windows(&["Mon 01:00-02:00"], "Europe/Berlin");
    for now in [i64::MIN, secs("-009999-01-03T00:00Z"), secs("9999-12-30T00:00Z"), i64::MAX - 1] {
        assert!(nights.open_at(now).is_err_and(|next| next > now), "{now}");
    }
}

#[test]
fn every_written_form_is_read_and_printed_in_one_way() {
    for (written, printed) in [
        ("Mon-Fri 22:00-06:00", "Mon-Fri 22:00-06:00"),
        ("sat,SUN", "Sat,Sun"),
        ("Sat, Sun 01:00-02:00", "Sat,Sun 01:00-02:00"),
        ("Mon,Tue,Wed,Fri", "Mon-Wed,Fri"),
        ("Fri-Mon", "Mon,Fri-Sun"),
        ("Sun-Mon", "Mon,Sun"),
        ("Mon-Sun", "00:00-24:00"),
        ("22:00-00:00", "22:00-24:00"),
        ("  Wed   00:00-24:00 ", "Wed"),
    ] {
        let windows = windows(&[written], "europe/berlin");
        assert_eq!(windows.to_string(), format!("{printed} (Europe/Berlin)"), "{written}");
        assert_eq!(windows.to_string().parse(), Ok(windows), "{written}");
    }
    assert_eq!("always".parse(), Ok(Windows::default()));
    assert_eq!(Windows::parse::<&str>(&[], Some("Europe/Berlin")), Ok(Windows::default()));
    assert_eq!(Windows::default().to_string(), "always");
    let both = windows(&["Mon", "01:00-02:00"], "UTC");
    assert_eq!(both.to_string(), "Mon; 01:00-02:00 (UTC)");
    assert_eq!(both.to_string().parse(), Ok(both));
}

#[test]
fn what_is_no_window_is_refused_with_the_reason() {
    for (written, why) in [
        ("", "days are"),
        ("Monday", "days are"),
        ("Mon-", "days are"),
        ("Mon,,Tue", "days are"),
        ("22:00", "times are"),
        ("Mon 22:00", "times are"),
        ("Mon 22-23", "days are"),
        ("22:00-25:00", "a time is"),
        ("22:00-24:01", "a time is"),
        ("22:60-23:00", "a time is"),
        ("2:00-3:00", "a time is"),
        ("+2:00-03:00", "a time is"),
        ("24:00-01:00", "at the latest"),
        ("22:00-22:00", "ends when it begins"),
        ("22:00-23:00 Mon", "days are"),
    ] {
        let error = Windows::parse(&[written], None).expect_err(written).to_string();
        assert!(error.contains(why), "{written}: {error}");
    }
    for zone in ["Europe/Bonn", "", "../etc/passwd", "CET-1CEST", "Etc/Unknown"] {
        let error = Windows::parse(&["Mon"], Some(zone));
        assert_eq!(error, Err(WindowError::Zone(zone.to_owned())));
    }
}

fn span() -> impl Strategy<Value = String> {
    let day = || proptest::sample::select(vec!["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
    let days = prop_oneof![
        Just(String::new()),
        day().prop_map(str::to_owned),
        (day(), day()).prop_map(|(first, last)| format!("{first}-{last}")),
        (day(), day()).prop_map(|(one, other)| format!("{one},{other}")),
    ];
    let times = (0..1440i32, 1..1440i32).prop_map(|(from, length)| {
        let to = (from + length) % 1440;
        format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    });
    (days, times).prop_map(|(days, times)| format!("{days} {times}"))
}

proptest! {
    #[test]
    fn the_next_opening_is_open_and_the_minutes_before_it_are_not(
        spans in proptest::collection::vec(span(), 1..3),
        zone in proptest::sample::select(vec![
            "UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu",
        ]),
        now in 1_700_000_000i64..1_900_000_000,
    ) {
        let windows = Windows::parse(&spans, Some(zone)).expect("windows");
        if let Err(next) = windows.open_at(now) {
            prop_assert!(next > now && next <= now + 9 * DAY_SECS);
            prop_assert_eq!(windows.open_at(next), Ok(()));
            for before in (now..next).step_by(60) {
                let instant = Timestamp::from_second(before).expect("a year of calendars");
                prop_assert!(!windows.shows_open(instant), "{} is open at {}", windows, instant);
            }
        }
        prop_assert_eq!(windows.to_string().parse(), Ok(windows));
    }
}
