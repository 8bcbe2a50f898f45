//! The process: how it starts, whom it obeys, and how it ends.

use std::process::Stdio;

use lambda_rollout::pulumi::proto;
use tonic::Code;

use crate::harness::{Echo, StandIn, check, configuration, create_that, partial, soon};

/// The engine hangs on anything else on standard output.
#[tokio::test]
async fn stdout_carries_the_port_and_nothing_else() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    client.create(create_that("crash")).await.unwrap_err();
    echo.signal("INT").await;
    let (status, rest) = echo.end().await;
    assert!(status.success());
    assert_eq!(rest, "");
}

#[tokio::test]
async fn takes_any_flags_and_listens_on_ipv4_loopback() {
    let engine = StandIn::start().await;
    let flags = ["--logtostderr", "-v=9", "--tracing", "http://127.0.0.1:1", &engine.address];
    for args in [&flags[..], &[]] {
        let echo = Echo::start(args, Stdio::null()).await;
        let mut client = echo.client().await;
        assert_eq!(client.get_plugin_info(()).await.unwrap().into_inner().version, "1.2.3");
    }
    // The address among the flags is the engine's: that is where the log goes.
    let echo = Echo::start(&flags, Stdio::null()).await;
    let mut client = echo.configured().await;
    let work = tokio::spawn(async move { client.create(create_that("work")).await });
    engine.hears_that("begun").await;
    work.abort();
}

#[tokio::test]
async fn signals_end_it() {
    for signal in ["INT", "TERM"] {
        let echo = Echo::alone().await;
        // An open connection does not hold it.
        let _client = echo.configured().await;
        echo.signal(signal).await;
        assert!(echo.end().await.0.success());
    }
}

#[tokio::test]
async fn a_call_at_work_may_answer_before_the_end() {
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let work = tokio::spawn(async move { client.create(create_that("work")).await });
    engine.hears_that("begun").await;
    echo.signal("INT").await;
    let status = soon(work).await.unwrap().unwrap_err();
    assert_eq!(partial(&status).id, "thing-1");
    assert!(echo.end().await.0.success());
}

#[tokio::test]
async fn a_call_that_never_ends_does_not_hold_the_process() {
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let work = tokio::spawn(async move { client.create(create_that("hang")).await });
    engine.hears_that("begun").await;
    echo.signal("INT").await;
    assert!(echo.end().await.0.success());
    soon(work).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn the_end_of_the_engine_is_its_end() {
    let engine = StandIn::start().await;
    let mut echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let _work = tokio::spawn(async move { client.create(create_that("work")).await });
    engine.hears_that("begun").await;
    echo.close_stdin();
    // What was at work ended in order.
    engine.hears_that("ended").await;
    assert!(echo.end().await.0.success());
}

/// Test tools start a provider without an engine, and with whatever standard input.
#[tokio::test]
async fn stdin_means_nothing_without_an_engine() {
    let mut piped = Echo::start(&[], Stdio::piped()).await;
    piped.close_stdin();
    let engine = StandIn::start().await;
    let null = Echo::start(&[&engine.address], Stdio::null()).await;
    for mut echo in [piped, null] {
        let mut client = echo.configured().await;
        for _ in 0..20 {
            client.check(check([("text", "t".into())])).await.unwrap();
        }
        assert!(echo.is_running());
    }
}

#[tokio::test]
async fn cancel_stops_what_is_at_work() {
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let mut other = client.clone();
    let work = tokio::spawn(async move { other.create(create_that("work")).await });
    engine.hears_that("begun").await;
    client.cancel(()).await.unwrap();
    client.cancel(()).await.unwrap();
    let status = soon(work).await.unwrap().unwrap_err();
    assert_eq!(partial(&status).reasons[0], "It was cancelled.");

    // Nothing new begins, but the process goes on.
    let refused = client.create(create_that("partial")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted);
    client.check(check([("text", "t".into())])).await.unwrap();
}

/// In attach mode the same process serves the preview, is cancelled, and serves the update.
#[tokio::test]
async fn the_next_engine_finds_it_well() {
    let echo = Echo::alone().await;
    for _ in 0..2 {
        let engine = StandIn::start().await;
        let mut client = echo.client().await;
        client.handshake(proto::ProviderHandshakeRequest::default()).await.unwrap();
        client.attach(proto::PluginAttach { address: engine.address.clone() }).await.unwrap();
        client.configure(configuration([("region", "here".into())])).await.unwrap();
        let mut other = client.clone();
        let work = tokio::spawn(async move { other.create(create_that("work")).await });
        engine.hears_that("begun").await;
        client.cancel(()).await.unwrap();
        partial(&soon(work).await.unwrap().unwrap_err());
    }
}

/// Each of these alone makes a cancelled process serve again.
#[tokio::test]
async fn a_beginning_ends_a_cancellation() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    for beginning in 0..3 {
        client.cancel(()).await.unwrap();
        client.create(create_that("partial")).await.map(drop).unwrap_err();
        match beginning {
            0 => drop(client.handshake(proto::ProviderHandshakeRequest::default()).await.unwrap()),
            1 => drop(client.attach(proto::PluginAttach::default()).await.unwrap()),
            _ => drop(client.configure(configuration([("region", "here".into())])).await.unwrap()),
        }
        let status = client.create(create_that("partial")).await.unwrap_err();
        assert_eq!(partial(&status).id, "thing-1");
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_cuts_nothing_short() {
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let work = tokio::spawn(async move { client.create(create_that("work")).await });
    engine.hears_that("begun").await;
    work.abort();
    engine.hears_that("ended").await;
}

#[tokio::test]
async fn a_check_goes_with_its_caller() {
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let endless = proto::CheckRequest { r#type: "echo:index:Hang".to_owned(), ..check([]) };
    let work = tokio::spawn(async move { client.check(endless).await });
    engine.hears_that("begun").await;
    work.abort();
    engine.hears_that("ended").await;
}

#[tokio::test]
async fn what_nobody_waits_for_ends_in_order_too() {
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let work = tokio::spawn(async move { client.create(create_that("workSlowly")).await });
    engine.hears_that("begun").await;
    // The only connection goes with the only call.
    work.abort();
    work.await.unwrap_err();
    echo.signal("TERM").await;
    engine.hears_that("ended").await;
    assert!(echo.end().await.0.success());
}

/// The log follows the engine that came last, and goes on where the engine stays the same.
#[tokio::test]
async fn each_engine_hears_its_own_calls() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    for _ in 0..2 {
        let engine = StandIn::start().await;
        for _ in 0..2 {
            let request = proto::ProviderHandshakeRequest {
                engine_address: engine.address.clone(),
                ..Default::default()
            };
            client.handshake(request).await.unwrap();
            let mut other = client.clone();
            let work = tokio::spawn(async move { other.create(create_that("work")).await });
            engine.hears_that("begun").await;
            client.cancel(()).await.unwrap();
            engine.hears_that("ended").await;
            soon(work).await.unwrap().unwrap_err();
        }
    }
}
