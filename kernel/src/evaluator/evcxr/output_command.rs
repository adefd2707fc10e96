//! `:output`: where the output of threads goes, and how much of a cell's output is shown.

use super::{
    host_link::HostLink,
    limit::Limit,
    outputs::{Owner, Settings},
};

const USAGE: &str = "It is one of `:output birth`, `:output current`, `:output limit 20MB` and \
                     `:output limit none`; `:output` alone says what is chosen.";

/// Does what stands behind `:output`, and says what is chosen then.
///
/// # Errors
///
/// What is wrong with the words, in a sentence.
pub(super) fn choose(words: &str, link: &HostLink) -> Result<String, String> {
    let settings = parse(words, link.output_settings())?;
    link.choose_output(settings);
    Ok(describe(settings))
}

fn parse(words: &str, mut settings: Settings) -> Result<Settings, String> {
    match words.split_once(' ').unwrap_or((words, "")) {
        ("", "") => {}
        ("birth", "") => settings.owner = Owner::Birth,
        ("current", "") => settings.owner = Owner::Current,
        ("limit", size) => {
            settings.limit = Limit::parse(size.trim()).ok_or_else(|| {
                format!(
                    "`{}` is no size, as `20MB`, `500kB` and `none` are. {USAGE}",
                    size.trim()
                )
            })?;
        }
        _ => return Err(format!("`:output {words}` is not known. {USAGE}")),
    }
    Ok(settings)
}

fn describe(settings: Settings) -> String {
    let owner = match settings.owner {
        Owner::Birth => "birth    What a thread or a task prints goes to the cell that started it.",
        Owner::Current => "current  What a thread or a task prints goes to the newest cell.",
    };
    let limit = match settings.limit {
        Limit(None) => "A cell shows any amount of output.".to_owned(),
        limit => format!("A cell shows up to {} of output.", limit.describe()),
    };
    format!(":output {owner}\n:output limit    {limit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_chosen_and_the_rest_is_kept() {
        let chosen = parse("current", Settings::default()).unwrap();
        assert_eq!(chosen.owner, Owner::Current);
        let chosen = parse("limit 3 MB", chosen).unwrap();
        assert_eq!(
            (chosen.owner, chosen.limit),
            (Owner::Current, Limit(Some(3_000_000)))
        );
        assert_eq!(parse("", chosen), Ok(chosen));
        assert!(describe(chosen).contains("up to 3 MB"));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (words, part) in [
            ("limit", "`` is no size"),
            ("limit lots", "`lots` is no size"),
            ("birth now", "`:output birth now` is not known"),
            ("off", "`:output off` is not known"),
        ] {
            let error = parse(words, Settings::default()).unwrap_err();
            assert!(
                error.contains(part) && error.contains(":output limit 20MB"),
                "{error}"
            );
        }
    }
}
