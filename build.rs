//! The web client is embedded at compile time: a new one makes a new binary.
fn main() {
    println!("cargo:rerun-if-changed=web/dist");
}
