//! From text to a filter, or to where the text is wrong.

use tracklane::{Kind, similar_name};

use super::{Comparison, Filter, MemberPath, Needle, Op, Pattern, Term, Test};

/// The error of a filter that does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, column {at}: {problem}")]
pub(crate) struct Invalid {
    /// The column, from 1.
    pub(crate) at: usize,
    pub(crate) problem: String,
}

const LEVELS: [&str; 3] = ["refused", "discarded", "smell"];
/// How far an event came, as an inspector reports it.
const PATHS: [&str; 4] = ["delivered", "dropped", "pending", "retrying"];
const HAS: [&str; 2] = ["finding", "path"];

struct Reader<'a> {
    chars: std::iter::Peekable<std::iter::Enumerate<std::str::Chars<'a>>>,
}

/// A piece of a term: text, whether it was in quotes, and where it began.
struct Piece {
    text: String,
    quoted: bool,
    at: usize,
}

pub(super) fn parse(text: &str) -> Result<Filter, Invalid> {
    let mut reader = Reader { chars: text.chars().enumerate().peekable() };
    let mut terms = Vec::new();
    while reader.skip_spaces() {
        terms.push(reader.term()?);
    }
    Ok(Filter { terms })
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, char)| *char)
    }

    fn column(&mut self) -> usize {
        self.chars.peek().map_or(0, |(index, _)| index + 1)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, char)| *char == wanted).is_some()
    }

    /// Returns whether something is left.
    fn skip_spaces(&mut self) -> bool {
        while self.chars.next_if(|(_, char)| char.is_whitespace()).is_some() {}
        self.chars.peek().is_some()
    }

    fn term(&mut self) -> Result<Term, Invalid> {
        let at = self.column();
        let dash = self.take('-');
        let left = self.piece(true)?;
        if left.text.is_empty() && !left.quoted && self.op_follows().is_none() {
            // A dash that stands alone is a text like any other.
            return Ok(Term { negated: false, test: Test::Text(Needle::new("-")) });
        }
        let Some(op) = (if left.quoted { None } else { self.op() }) else {
            return Ok(Term { negated: dash, test: Test::Text(Needle::new(&left.text)) });
        };
        let right = self.piece(false)?;
        if right.text.is_empty() && !right.quoted {
            return Err(Invalid { at, problem: format!("{} has nothing behind it", left.text) });
        }
        Ok(Term { negated: dash, test: test(&left, op, &right)? })
    }

    fn op_follows(&mut self) -> Option<char> {
        self.peek().filter(|char| matches!(char, ':' | '=' | '<' | '>'))
    }

    fn op(&mut self) -> Option<Op> {
        let char = self.op_follows()?;
        self.chars.next();
        Some(match char {
            ':' => Op::Like,
            '=' => Op::Equal,
            '>' if self.take('=') => Op::AtLeast,
            '>' => Op::Greater,
            _ if self.take('=') => Op::AtMost,
            _ => Op::Less,
        })
    }

    /// Text in quotes, or up to a space, and on the left side of an operator up to that.
    fn piece(&mut self, left: bool) -> Result<Piece, Invalid> {
        let at = self.column();
        if self.take('"') {
            return self.quoted(at);
        }
        let mut text = String::new();
        let ends = |char: char| char.is_whitespace() || left && matches!(char, ':' | '=' | '<' | '>');
        while let Some((_, char)) = self.chars.next_if(|(_, char)| !ends(*char)) {
            text.push(char);
        }
        Ok(Piece { text, quoted: false, at })
    }

    fn quoted(&mut self, at: usize) -> Result<Piece, Invalid> {
        let mut text = String::new();
        loop {
            match self.chars.next() {
                Some((_, '"')) => return Ok(Piece { text, quoted: true, at }),
                Some((_, '\\')) => text.extend(self.chars.next().map(|(_, char)| char)),
                Some((_, char)) => text.push(char),
                None => return Err(Invalid { at, problem: "the quote is not closed".to_owned() }),
            }
        }
    }
}

fn test(left: &Piece, op: Op, right: &Piece) -> Result<Test, Invalid> {
    let pattern = Pattern::new(&right.text);
    let is_one_of = |known: &[&str]| known.iter().any(|known| pattern.matches(known));
    let wrong = |known: &[&str]| Err(not_one_of(&left.text, right, known));
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let named = matches!(op, Op::Like | Op::Equal);
    Ok(match left.text.as_str() {
        "kind" if named && !is_one_of(&kinds) => return wrong(&kinds),
        "kind" if named => Test::Kind(pattern),
        "name" if named => Test::Name(pattern),
        "user" if named => Test::User(pattern),
        "anon" if named => Test::Anonymous(pattern),
        "key" if named => Test::Key(pattern),
        "id" if named => Test::Id(pattern),
        "rule" if named => Test::Rule(pattern),
        "path" if named && !is_one_of(&PATHS) => return wrong(&PATHS),
        "path" if named => Test::PathState(pattern),
        "level" if named && is_one_of(&LEVELS) => Test::Level(pattern),
        "level" => return wrong(&LEVELS),
        "has" => match right.text.as_str() {
            "finding" | "findings" => Test::HasFinding,
            "path" => Test::HasPath,
            _ => return wrong(&HAS),
        },
        member if is_path(member) => {
            Test::Member(Box::new(MemberPath::new(member)), Comparison::new(op, &right.text, pattern))
        }
        // Such as 10:30, which is a text.
        _ => Test::Text(Needle::new(&format!("{}{}{}", left.text, symbol(op), right.text))),
    })
}

/// Returns the error of a text that must be one of these.
fn not_one_of(name: &str, right: &Piece, known: &[&str]) -> Invalid {
    let meant = similar_name(&right.text, known.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    Invalid { at: right.at, problem: format!("{name} is one of {}{meant}", known.join(", ")) }
}

fn is_path(text: &str) -> bool {
    text.starts_with(|char: char| char.is_alphabetic() || matches!(char, '_' | '$'))
        && text.split('.').all(|part| !part.is_empty())
}

fn symbol(op: Op) -> &'static str {
    match op {
        Op::Like => ":",
        Op::Equal => "=",
        Op::Greater => ">",
        Op::Less => "<",
        Op::AtLeast => ">=",
        Op::AtMost => "<=",
    }
}
