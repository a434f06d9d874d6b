//! The options as people read them: `docs/configuration.md` and `--print-config`.

use std::fmt::Write;

use super::load::Invocation;
use super::options::{OPTIONS, OptionKind};

const HEAD: &str = "# Configuration

<!-- Written by `voice-relay generate-docs`; change src/config/options.rs instead. -->

Everything has a default that works at home. What is set later in this list wins:

1. the defaults below;
2. the options of the Home Assistant app, a file named by `--options FILE` or the variable `VOICE_RELAY_OPTIONS`;
3. a file, `.toml` or `.json`, named by `--config FILE` or the variable `VOICE_RELAY_CONFIG`;
4. environment variables;
5. flags.

`voice-relay --print-config` says what is in force, and where it comes from. A wrong value ends the
program with exit code 64 and names the key, before any port is opened.

```toml
[http]
port = 80

[media]
advertise = [\"192.168.1.20\"]
```
";

/// `docs/configuration.md`.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    for option in OPTIONS {
        let default = if option.default.is_empty() { "none".into() } else { format!("`{}`", option.default) };
        let (key, help, flag, variable) = (option.key, option.help, option.flag(), option.variable());
        let _ = write!(page, "\n## `{key}`\n\n{help}.\n");
        if !option.more.is_empty() {
            let _ = writeln!(page, "{}", option.more);
        }
        let expectation = option.kind.expectation();
        let _ = write!(page, "\nDefault: {default} · {expectation} · flag `--{flag}` · variable `{variable}`\n");
    }
    page
}

/// What is in force, with its origin, one line an option.
pub fn print(invocation: &Invocation) -> String {
    let line = |option: &super::options::Opt| {
        let (value, origin) = &invocation.origins[option.key];
        let is_secret = matches!(option.kind, OptionKind::Secret) && !value.is_empty();
        let value = if is_secret { "(not shown)" } else { value };
        format!("{} = {value:?} # {origin}\n", option.key)
    };
    OPTIONS.iter().map(line).collect()
}
