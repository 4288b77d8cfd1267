//! `gateway hash-password`: makes the line of a user for `auth.users`.

use seaworthy_gateway::route::{LineError, Users};

use crate::context::Context;
use crate::error::{CommandError, Exit};

/// How much work a hash is: 2 to the power of this rounds, some 50 ms.
const COST: u32 = 10;

/// Print the line of a user for `route.auth.users`: the name, and the bcrypt hash of a password
///
/// The password is typed twice, unseen, or comes as the first line of standard input; it is never an argument, which other
/// users of the machine could read.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy gateway hash-password ann >> admins.htpasswd\n  pass show shop/ann | seaworthy gateway hash-password ann"
)]
pub(crate) struct HashPasswordArgs {
    /// The name that is asked for beside the password
    #[arg(value_name = "USER")]
    user: String,
    /// How much work a hash is, 4 to 14; one more is twice as much
    #[arg(long, default_value_t = COST, value_parser = clap::value_parser!(u32).range(4..=14))]
    cost: u32,
}

pub(super) fn hash_password(context: &Context, arguments: &HashPasswordArgs) -> Result<Exit, CommandError> {
    let password = match context.surroundings.stdin_is_terminal {
        true => match twice(context, &arguments.user)? {
            Some(password) => password,
            None => return Ok(Exit::Interrupted),
        },
        false => context.surroundings.first_line(),
    };
    match Users::line(&arguments.user, &password, arguments.cost) {
        Ok(line) => {
            context.ui.data(&format!("{line}\n"));
            Ok(Exit::Done)
        }
        Err(error) => Err(CommandError::new(error.to_string(), Some(hint(error)))),
    }
}

/// What a person types, where it is the same both times; nothing where it was called off.
fn twice(context: &Context, user: &str) -> Result<Option<Vec<u8>>, CommandError> {
    let Some(first) = context.ui.unseen(&format!("Password of {user}: ")) else { return Ok(None) };
    let Some(second) = context.ui.unseen("Again: ") else { return Ok(None) };
    if first != second {
        return Err(CommandError::new("the two passwords are not the same", Some("type it again")));
    }
    Ok(Some(first))
}

fn hint(error: LineError) -> &'static str {
    match error {
        LineError::Name(_) => "choose a name without `:`, spaces around it, or `#` at its beginning",
        LineError::Empty => "type one, or hand it over as the first line of standard input",
        LineError::Long | LineError::Nul => "choose a shorter one, of characters that can be typed",
        LineError::Hash => "try another `--cost`",
    }
}
