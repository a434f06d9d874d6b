//! What people call rooms and themselves, and what they write, made fit to be shown to others; and the ids of
//! rooms, made from their names.

use crate::domain::{comparable, composed};

/// Characters of a name, of a person or a room.
pub const MAX_NAME: usize = 40;

/// Characters of a chat message.
pub const MAX_CHAT: usize = 500;

/// Who gives no name.
const NAMELESS: &str = "Guest";

/// A room of whose name nothing is left for its id.
const SLUGLESS: &str = "room";

/// What joins other characters to one picture, and shows nothing by itself.
const JOINERS: [char; 2] = ['\u{200D}', '\u{FE0F}'];

/// A name as it may be shown: on one line, and nothing in it that changes how the rest of the line is read.
/// Empty when nothing is left.
pub fn clean_name(text: &str) -> String {
    let visible: String = composed(text).chars().filter(|c| c.is_whitespace() || !is_unseen(*c)).collect();
    let words: Vec<_> = visible.split_whitespace().collect();
    let name: String = words.join(" ").chars().take(MAX_NAME).collect();
    if name.chars().all(|c| JOINERS.contains(&c)) { String::new() } else { name.trim_end().to_owned() }
}

/// A participant's name, other than those that are taken: a second Anna is Anna 2.
pub fn unique_name<'a>(text: &str, taken: impl Iterator<Item = &'a str>) -> String {
    let mut name = clean_name(text);
    if name.is_empty() {
        NAMELESS.clone_into(&mut name);
    }
    let taken: Vec<_> = taken.map(str::to_lowercase).collect();
    numbered(&name, ' ', |name| !taken.contains(&name.to_lowercase()))
}

/// A chat message as it may be shown; its line breaks are kept.
pub(super) fn clean_chat(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\t', " ");
    let clean: String = lines.chars().filter(|c| *c == '\n' || !is_unseen(*c)).collect();
    clean.trim().to_owned()
}

/// The id of a room of this name, other than those that are taken: `kueche`, then `kueche-2`.
pub(super) fn slug(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let letters: String = comparable(name).chars().map(latin).collect();
    let words: Vec<_> = letters.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let slug = if words.is_empty() { SLUGLESS.to_owned() } else { words.join("-") };
    let slug: String = slug.chars().take(MAX_NAME).collect();
    numbered(slug.trim_end_matches('-'), '-', |slug| !is_taken(slug))
}

/// The name itself, or with the first number that makes it free, and no longer than names may be.
fn numbered(name: &str, separator: char, is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (2_u32..).map(|number| {
        let end = format!("{separator}{number}");
        let start: String = name.chars().take(MAX_NAME - end.len()).collect();
        start.trim_end().to_owned() + &end
    });
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| is_free(name)).expect("there are more numbers than names")
}

/// Control characters, those that turn the direction of writing, and those that take no room at all: with them a
/// name could look like another one.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// How a lower-case letter is written without its marks; German's umlauts as Germans do.
fn latin(c: char) -> &'static str {
    match c {
        'ä' | 'æ' => "ae",
        'ö' | 'œ' | 'ø' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ő' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' => "s",
        'ù' | 'ú' | 'û' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ž' | 'ż' => "z",
        other => ascii(other),
    }
}

/// Every ASCII letter and digit as a text; all else is a gap between words.
fn ascii(c: char) -> &'static str {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    PLAIN.find(c).map_or("-", |at| &PLAIN[at..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_what_cannot_be_seen_and_its_extra_room() {
        for (given, shown) in [
            ("  Anna \n\t Maria ", "Anna Maria"),
            ("An\u{0}na\u{7f}", "Anna"),
            ("\u{202e}annA\u{202c}\u{2066}", "annA"),
            ("\u{200b}\u{feff}\u{2060}", ""),
            ("\u{200d}\u{fe0f}", ""),
            ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
            ("Jürgen", "Jürgen"),
            ("Ju\u{308}rgen", "Jürgen"),
        ] {
            assert_eq!(clean_name(given), shown, "{given:?}");
        }
        assert_eq!(clean_name(&"ä".repeat(90)).chars().count(), MAX_NAME);
    }

    #[test]
    fn a_second_anna_is_anna_2_however_she_writes_it() {
        let taken = ["Anna", "anna 2"];
        assert_eq!(unique_name("ANNA", taken.into_iter()), "ANNA 3");
        assert_eq!(unique_name("Bert", taken.into_iter()), "Bert");
        assert_eq!(unique_name("\u{200e}", taken.into_iter()), "Guest");
        let long = "x".repeat(MAX_NAME);
        let second = unique_name(&long, [long.as_str()].into_iter());
        assert_eq!((second.chars().count(), second.ends_with("x 2")), (MAX_NAME, true));
    }

    #[test]
    fn a_chat_message_keeps_its_lines_and_nothing_unseen() {
        assert_eq!(clean_chat(" one\r\ntwo\tthree\u{202e}\u{0} \n"), "one\ntwo three");
        assert_eq!(clean_chat(" \n\u{200f}"), "");
    }

    #[test]
    fn a_rooms_id_is_its_name_in_plain_letters() {
        for (name, id) in [
            ("Küche", "kueche"),
            ("Ku\u{308}che", "kueche"),
            ("Großes Zimmer!", "grosses-zimmer"),
            ("Café № 1", "cafe-1"),
            ("寝室", "room"),
            ("--", "room"),
            ("A  b", "a-b"),
        ] {
            assert_eq!(slug(name, |_| false), id, "{name}");
        }
        assert_eq!(slug("Küche", |slug| slug == "kueche"), "kueche-2");
        assert_eq!(slug("Küche", |slug| slug != "kueche-4"), "kueche-4");
        assert!(slug(&"ü".repeat(90), |_| false).len() <= MAX_NAME);
    }
}
