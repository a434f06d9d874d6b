//! TEMP
fn main() {
    tracing_subscriber::fmt().with_env_filter("info").with_writer(std::io::stderr).init();
    let mut c = voice_relay::config::Config::default();
    c.bind = "::".parse().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let app = voice_relay::app::App::start(&c).unwrap();
        println!("{}", app.ports);
        tokio::signal::ctrl_c().await.unwrap();
        app.stop().await;
    });
}
