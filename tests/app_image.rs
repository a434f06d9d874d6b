//! What the app's image is made of: the tree that the Supervisor searches, the Dockerfile, the scripts and the
//! AppArmor profile.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that is, or is about to be, in the repository.
fn tree() -> Vec<String> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(list).current_dir(root("")).output().expect("git");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// Files of this name with an ending by which the Supervisor knows a configuration, at any depth.
fn found_by_the_supervisor(name: &str) -> Vec<String> {
    let is_one = |path: &String| {
        let file = Path::new(path);
        let ending = file.extension().and_then(|ending| ending.to_str());
        file.file_stem().is_some_and(|stem| stem == name) && ["yaml", "yml", "json"].map(Some).contains(&ending)
    };
    tree().into_iter().filter(is_one).collect()
}

/// Ends well, and has nothing to say.
fn passes(command: &mut Command) {
    let output = command.current_dir(root("")).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}

/// The instructions of the Dockerfile, each on one line; comments left out.
fn instructions() -> Vec<String> {
    let text = read("Dockerfile").replace("\\\n", " ");
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// What follows this word, in each instruction that begins with it.
fn all(word: &str) -> Vec<String> {
    let rest = |line: String| line.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).map(str::to_owned);
    instructions().into_iter().filter_map(rest).collect()
}

/// Width and height of a PNG: two numbers of its first chunk.
fn size(path: &str) -> (u32, u32) {
    let bytes = std::fs::read(root(path)).expect("an image");
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() < 15_000, "{path}: {} bytes", bytes.len());
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[test]
fn the_supervisor_finds_one_app_one_repository_and_no_build_file() {
    assert_eq!(found_by_the_supervisor("config"), ["config.json"]);
    assert_eq!(found_by_the_supervisor("repository"), ["repository.yaml"]);
    assert_eq!(found_by_the_supervisor("build"), Vec::<String>::new());
}

#[test]
fn what_the_store_shows_lies_beside_the_manifest_under_the_names_that_it_looks_for() {
    let tree = tree();
    let shown = ["README.md", "DOCS.md", "CHANGELOG.md", "icon.png", "logo.png", "apparmor.txt", "Dockerfile"];
    for name in shown {
        assert!(tree.iter().any(|path| path == name), "{name}");
    }
    assert_eq!(size("icon.png"), (128, 128));
    assert_eq!(size("logo.png"), (250, 100));
}

#[test]
fn every_image_that_is_built_on_has_a_version() {
    let stages = all("FROM");
    assert_eq!(stages.len(), 4);
    for stage in &stages {
        let image = stage.split(' ').next().expect("an image");
        let (name, tag) = image.split_once(':').unwrap_or_else(|| panic!("{image} has no version"));
        let numbers = tag.chars().filter(char::is_ascii_digit).count();
        assert!(!tag.contains("latest") && numbers >= 3, "{name} has the version {tag}");
    }
    assert!(stages[3].starts_with("ghcr.io/home-assistant/base-debian:trixie-"));
    let word = |line: &str| line.split('.').take(2).collect::<Vec<_>>().join(".");
    let here = all("FROM").iter().find_map(|stage| stage.strip_prefix("rust:").map(word)).expect("a Rust stage");
    let least = env!("CARGO_PKG_RUST_VERSION");
    assert!(here.as_str() >= least, "Rust {here} cannot build what needs {least}");
}

#[test]
fn the_image_starts_without_a_shell_between_and_says_how_it_is() {
    assert_eq!(all("CMD"), [r#"["voice-relay"]"#, r#"["/run.sh"]"#]);
    // The base image's entry point is S6.
    assert_eq!(all("ENTRYPOINT"), Vec::<String>::new());
    let checks = all("HEALTHCHECK");
    let check = checks.last().expect("a check of the app");
    // Not as root, which the container is.
    assert!(check.ends_with(r#"CMD ["/command/s6-setuidgid", "voice-relay", "voice-relay", "health"]"#), "{check}");
    assert!(check.contains("--start-interval=1s") && check.contains("--start-period="), "{check}");
}

#[test]
fn what_the_supervisor_no_longer_gives_is_not_asked_for() {
    for word in ["BUILD_FROM", "ADD "] {
        assert!(!instructions().iter().any(|line| line.contains(word)), "{word}");
    }
}

#[test]
fn the_context_of_the_build_holds_what_is_copied_and_little_else() {
    let ignore = read(".dockerignore");
    assert_eq!(ignore.lines().find(|line| !line.starts_with('#')), Some("*"));
    for copied in all("COPY").iter().filter(|line| !line.starts_with("--from")) {
        let (sources, _) = copied.rsplit_once(' ').expect("from and to");
        for source in sources.split(' ') {
            let top = source.split('/').next().expect("a name");
            assert!(ignore.lines().any(|line| line == format!("!{top}")), "{source} is kept out");
            assert!(root(source).exists(), "{source}");
        }
    }
}

/// Every script of the repository, by its first line.
fn scripts() -> Vec<String> {
    let is_script = |path: &String| {
        let start = std::fs::read(root(path)).unwrap_or_default();
        let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let first = String::from_utf8_lossy(first);
        first.starts_with("#!") && ["sh", "bash", "bashio"].iter().any(|shell| first.ends_with(shell))
    };
    tree().into_iter().filter(is_script).collect()
}

#[test]
fn scripts_are_whole_executable_and_free_of_known_mistakes() {
    let scripts = scripts();
    for name in ["run.sh", "addon/rootfs/usr/local/bin/share-certificate", "tools/require", ".ci/run"] {
        assert!(scripts.iter().any(|script| script == name), "{name}");
    }
    for script in &scripts {
        let mode = std::fs::metadata(root(script)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script}");
        passes(Command::new("bash").args(["-n", script]));
    }
    passes(Command::new("shellcheck").args(&scripts));
}

#[test]
fn the_start_is_short_and_becomes_the_daemon_without_root() {
    let run = read("run.sh");
    assert!(run.starts_with("#!/usr/bin/with-contenv bashio\n"));
    assert!(run.lines().count() <= 30);
    assert_eq!(run.lines().last(), Some(r#"exec s6-setuidgid "${user}" voice-relay"#));
}

#[test]
fn the_apparmor_profile_parses_and_a_mistake_in_it_would_not() {
    let parse = |file: &Path| Command::new("apparmor_parser").args(["-Q", "-K"]).arg(file).output().expect("a parser");
    let good = parse(&root("apparmor.txt"));
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    let broken = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(broken.path(), read("apparmor.txt").replacen("network inet", "netwerk inet", 1)).expect("written");
    assert!(!parse(broken.path()).status.success());
}

#[test]
fn the_apparmor_profile_is_one_with_a_narrow_one_for_the_daemon() {
    let profile = read("apparmor.txt");
    // The Supervisor puts the app's full name in the place of this one.
    let outer: Vec<_> = profile.lines().filter(|line| line.starts_with("profile ")).collect();
    assert_eq!(outer.len(), 1, "{outer:?}");
    let (_, daemon) = profile.split_once("\n  profile daemon ").expect("a profile within");
    assert!(profile.contains("/usr/local/bin/voice-relay cx -> daemon,"));
    let rules: Vec<_> = daemon.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    for right in ["capability", "mount", "ptrace", "/** rw"] {
        assert_eq!(rules.iter().find(|rule| rule.contains(right)), None, "the daemon needs no {right}");
    }
    let files = rules.iter().filter(|rule| rule.starts_with('/'));
    for (path, rights) in files.filter_map(|rule| rule.rsplit_once(' ')) {
        let is_itself = path == "/usr/local/bin/voice-relay";
        assert!(!rights.contains('x') || is_itself, "the daemon starts no program but itself, not even {path}");
    }
}

#[test]
fn workflows_use_actions_of_a_fixed_version_and_may_only_read_by_default() {
    for name in ["ci.yml", "release.yml"] {
        let workflow = read(&format!(".github/workflows/{name}"));
        assert!(workflow.contains("\npermissions:\n  contents: read\n"), "{name}");
        for action in workflow.lines().filter_map(|line| line.split_once("uses: ").map(|(_, action)| action)) {
            let (_, version) = action.split_once('@').unwrap_or_else(|| panic!("{action}"));
            assert_eq!(version.split('.').count(), 3, "{action}");
        }
    }
    assert!(read(".github/workflows/ci.yml").contains("run: .ci/run"));
}
