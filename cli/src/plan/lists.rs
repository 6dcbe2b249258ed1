//! The servers before and after a change, from files and options.

use std::collections::BTreeSet;

use memring_core::AsServer as _;

use crate::{
    failure::Failure,
    input::{Input, Longest},
    servers::{NameArgs, NamedServer},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// A file of the servers as they are; `-` is standard input. Without it, those of the configuration file.
    #[arg(long, value_name = "FILE", conflicts_with = "old_server")]
    old: Option<String>,

    /// A server as it is, or several with commas between, in place of a file; may be given several times.
    #[arg(long, value_name = "SERVER")]
    old_server: Vec<String>,

    /// A file of the servers as they will be; `-` is standard input. Without any of --new, --new-server, --add and --remove,
    /// only the scheme changes.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present_any = ["new_scheme", "new_options", "new_server", "add", "remove"],
        conflicts_with_all = ["new_server", "add", "remove"]
    )]
    new: Option<String>,

    /// A server as it will be, in place of a file; may be given several times.
    #[arg(long, value_name = "SERVER", conflicts_with_all = ["add", "remove"])]
    new_server: Vec<String>,

    /// A server that joins those that there are, behind the last; may be given several times.
    #[arg(long, value_name = "SERVER")]
    add: Vec<String>,

    /// A server that leaves, by its name; may be given several times.
    #[arg(long, value_name = "SERVER")]
    remove: Vec<String>,
}

impl ListArgs {
    /// Whether one of the lists comes from standard input.
    pub(super) fn read_stdin(&self) -> bool {
        [&self.old, &self.new].into_iter().flatten().any(|path| path == "-")
    }

    /// Whether the command line says the servers as they are.
    pub(super) fn name_the_old(&self) -> bool {
        self.old.is_some() || !self.old_server.is_empty()
    }

    /// The servers before and after.
    pub(super) fn servers(
        &self,
        names: NameArgs,
        settings: &Settings,
    ) -> Result<(Vec<NamedServer>, Vec<NamedServer>), Failure> {
        if [&self.old, &self.new].into_iter().flatten().filter(|path| *path == "-").count() > 1 {
            return Err(Failure::usage("only one of --old and --new can be standard input"));
        }
        let file = |what, path: &str| names.servers_of(&Input::read(what, path, Longest::SERVER)?);
        let old = match &self.old {
            Some(path) => file("--old", path)?,
            None if !self.old_server.is_empty() => names.servers_given("--old-server", &self.old_server)?,
            None => names.servers_of_settings(settings)?,
        };
        let new = match &self.new {
            Some(path) => file("--new", path)?,
            None if !self.new_server.is_empty() => names.servers_given("--new-server", &self.new_server)?,
            None => self.changed(&old, names)?,
        };
        Ok((old, new))
    }

    /// `old` with the servers that join, and without those that leave.
    fn changed(&self, old: &[NamedServer], names: NameArgs) -> Result<Vec<NamedServer>, Failure> {
        let mut servers = old.to_vec();
        if !self.remove.is_empty() {
            let leaving = names.servers_given("--remove", &self.remove)?;
            for server in &leaving {
                if !old.iter().any(|other| other.name == server.name) {
                    return Err(Failure::usage(format_args!(
                        "{}: no server {} among those that there are",
                        server.place, server.name
                    )));
                }
            }
            let leaving: BTreeSet<_> = leaving.iter().map(|server| server.as_server().name).collect();
            servers.retain(|server| !leaving.contains(&*server.name));
        }
        if !self.add.is_empty() {
            let joining = names.servers_given("--add", &self.add)?;
            for server in &joining {
                if servers.iter().any(|other| other.name == server.name) {
                    return Err(Failure::usage(format_args!(
                        "{}: {} is among the servers already",
                        server.place, server.name
                    )));
                }
            }
            servers.extend(joining);
        }
        if servers.is_empty() {
            return Err(Failure::usage("no server is left after the change"));
        }
        Ok(servers)
    }
}
