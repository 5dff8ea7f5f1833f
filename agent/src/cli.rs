//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pki_config::{Depth, DirectoryServer, Globs, IoPriority, Target};
use pki_inventory::{Kind, Time};
use pki_store::RunId;

/// The first argument that makes this program the process of a PKCS #11 module. People have no use for it.
pub const SERVE_MODULE: &str = "pkcs11-module";

/// Proves from evidence how mature a PKI is under the PKI Maturity Model (PKIMM).
#[derive(Debug, Parser)]
#[command(version, about, long_about = None, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  pkimm-agent run                                look at this machine, write pkimm-report/index.html
  pkimm-agent run --root /srv --target 192.0.2.0/28:443,8443
  pkimm-agent why M.certificate-management.cert-lifecycle
  pkimm-agent inventory export --format jsonl | jq 'select(.kind == \"certificate\")'

Exit codes: 0 fine, 1 findings above --fail-on, 2 problems in input, 3 nothing could be read,
130 ended early (what was found is kept; --resume goes on).
Logs go to standard error; PKIMM_LOG=debug shows more.")]
pub struct Cli {
    /// Folder of the report, the store and the answers
    #[arg(long, global = true, default_value = "pkimm-report", env = "PKIMM_DIR")]
    pub dir: PathBuf,
    /// Store to use instead of the one in the folder
    #[arg(long, global = true, value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// Say more on standard error; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan, judge and report: the main job
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Write commented settings and policy files to start from
    Init {
        /// Where to
        #[arg(long, default_value = ".")]
        into: PathBuf,
    },
    /// Read settings, policy and answers and list every problem in them
    Check {
        #[command(flatten)]
        settings: SettingsArgs,
        #[command(flatten)]
        judging: JudgingArgs,
    },
    /// Scan into the store, without judging
    #[command(after_help = SCAN_HELP)]
    Scan(ScanArgs),
    /// Judge what is in the store, keep the assessment and print its summary
    Assess {
        #[command(flatten)]
        judging: JudgingArgs,
        #[command(flatten)]
        fail: FailArgs,
    },
    /// Write a report of what is in the store
    #[command(after_help = "Examples:
  pkimm-agent report --format json -o assessment.json
  pkimm-agent report --format html -o index.html --as-of 2026-12-31")]
    Report {
        /// html, json, terminal, answers-yaml, pkimm-web or prometheus
        #[arg(long, default_value = "terminal")]
        format: String,
        /// File to write instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        judging: JudgingArgs,
    },
    /// What was found
    #[command(subcommand)]
    Inventory(InventoryCommand),
    /// What the rules came to
    #[command(subcommand)]
    Findings(FindingsCommand),
    /// People's side: the questionnaire
    #[command(subcommand)]
    Answers(AnswersCommand),
    /// Why a requirement has its level, a rule its figures, an asset its findings
    #[command(after_help = "Examples:
  pkimm-agent why M.key-management.key-lifecycle
  pkimm-agent why cert.expired-in-service
  pkimm-agent why certificate:5f2c        (the first digits are enough where they are unique)")]
    Why {
        /// Requirement, rule, or asset id
        subject: String,
        #[command(flatten)]
        judging: JudgingArgs,
    },
    /// Print shell completions
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
}

/// What to look at.
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// Settings file [default: pkimm-agent.toml where there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What to look at, also from the command line.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Tree to walk instead of those of the settings; may be given many times
    #[arg(long, value_name = "PATH")]
    pub root: Vec<PathBuf>,
    /// Path or pattern to leave out, with all below it: /srv/tmp, '**/*.bak'
    #[arg(long, value_name = "PATH")]
    pub exclude: Vec<PathBuf>,
    /// Read every file again, also those that an earlier run has read and that are as they were
    #[arg(long)]
    pub full: bool,
    /// Go on with the latest run if it was killed or ended early: whom it asked is not asked again
    #[arg(long)]
    pub resume: bool,
    /// Take this instant as the present: dates every sighting, for runs that can be repeated
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<Time>,
    // Last: the heading of a group holds for all that follow.
    #[command(flatten)]
    pub files: FilesArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    pub directories: DirectoryArgs,
    #[command(flatten)]
    pub tokens: TokenArgs,
}

/// What of the trees to read, and how gently.
#[derive(Debug, Args)]
#[command(next_help_heading = "File options")]
pub struct FilesArgs {
    /// Pattern of files to read instead of those of the settings; all others are left out
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    pub include: Vec<String>,
    /// Stay on the filesystems the trees are on, which is the default
    #[arg(long)]
    pub one_filesystem: bool,
    /// Walk the other filesystems below them as well
    #[arg(long, conflicts_with = "one_filesystem")]
    pub all_filesystems: bool,
    /// Walk filesystems of other hosts as well, such as NFS
    #[arg(long)]
    pub network_filesystems: bool,
    /// Look into no archives, packages and images
    #[arg(long)]
    pub no_archives: bool,
    /// How far reading stands back for other work: 0 not at all, 19 the most [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=19))]
    pub nice: Option<u8>,
    /// How far it stands back at the disk: normal, low or idle [default: low]
    #[arg(long, value_name = "WORD")]
    pub io_priority: Option<IoPriority>,
}

fn pattern(text: &str) -> Result<String, String> {
    Globs::new([text]).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// What to ask over the network, and how gently.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network options")]
pub struct NetworkArgs {
    /// TLS target to ask instead of those of the settings: hosts:ports, see below
    #[arg(long, value_name = "TARGET")]
    pub target: Vec<Target>,
    /// File with more targets, one a line; - is standard input
    #[arg(long, value_name = "FILE")]
    pub target_file: Vec<PathBuf>,
    /// Hosts never to ask, besides those of the settings, whatever the targets say
    #[arg(long, value_name = "TARGET")]
    pub exclude_target: Vec<Target>,
    /// How much to find out about each server: certificate, posture or suites [default: certificate]
    #[arg(long)]
    pub depth: Option<Depth>,
    /// New connections per second over all targets [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: Option<u32>,
    /// Targets asked at the same time [default: 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: Option<u16>,
    /// The same on one host [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub per_host: Option<u16>,
    /// How often to ask a target again that did not answer or broke off [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=5))]
    pub retries: Option<u32>,
    /// Seconds one target may take in all [default: by depth 10, 60 or 300]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub deadline_secs: Option<u64>,
}

/// Which directories to read, and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Directory options")]
pub struct DirectoryArgs {
    /// Directory to read instead of those of the settings: ldaps://host, ldap://host:port, or
    /// ldap+tls://host for StartTLS. As in the settings where they have it, else as nobody
    #[arg(long, value_name = "URL", value_parser = DirectoryServer::at)]
    pub directory: Vec<DirectoryServer>,
    /// The same by a domain whose servers DNS names, over ldaps
    #[arg(long, value_name = "DOMAIN", value_parser = DirectoryServer::of_domain)]
    pub domain: Vec<DirectoryServer>,
    /// Name to bind with at these; the password is asked for unless one of the next two is there
    #[arg(long, value_name = "NAME")]
    pub bind_name: Option<String>,
    /// File with the password in its first line
    #[arg(long, value_name = "FILE", requires = "bind_name")]
    pub bind_password_file: Option<PathBuf>,
    /// Variable with the password
    #[arg(
        long,
        value_name = "NAME",
        requires = "bind_name",
        conflicts_with = "bind_password_file"
    )]
    pub bind_password_env: Option<String>,
    /// Certificates (PEM) that theirs must come from, instead of those this machine trusts
    #[arg(long, value_name = "FILE")]
    pub directory_ca: Option<PathBuf>,
    /// Dump of a directory (LDIF) to read instead of those of the settings
    #[arg(long, value_name = "FILE")]
    pub ldif: Vec<PathBuf>,
    /// Export of an authority's database (certutil -view) to read instead of those of the settings
    #[arg(long, value_name = "FILE")]
    pub ca_database: Vec<PathBuf>,
}

/// Which tokens to read, and how to log in to them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Token options")]
pub struct TokenArgs {
    /// PKCS #11 module to load instead of those of the settings and of p11-kit
    #[arg(long, value_name = "PATH")]
    pub pkcs11_module: Vec<PathBuf>,
    /// Load the modules that p11-kit is configured with
    #[arg(long)]
    pub p11_kit: bool,
    /// Load none of them
    #[arg(long, conflicts_with = "p11_kit")]
    pub no_p11_kit: bool,
    /// Token to read instead of all or those of the settings, as a URI: pkcs11:token=CA%20keys
    // A text here: what is no URI may hold a PIN, and would be told.
    #[arg(long, value_name = "URI")]
    pub token: Vec<String>,
    /// File with the PIN of these tokens in its first line
    #[arg(long, value_name = "FILE", group = "pin", requires = "token")]
    pub pin_file: Option<PathBuf>,
    /// Variable with the PIN
    #[arg(long, value_name = "NAME", group = "pin", requires = "token")]
    pub pin_env: Option<String>,
    /// Open file descriptor with the PIN in its first line
    #[arg(long, value_name = "N", group = "pin", requires = "token", value_parser = descriptor)]
    pub pin_descriptor: Option<i32>,
    /// Ask for the PIN at the terminal
    #[arg(long, group = "pin", requires = "token")]
    pub pin_prompt: bool,
    /// The PIN is typed at the device
    #[arg(long, group = "pin", requires = "token")]
    pub pin_at_device: bool,
    /// A number to raise by one to have a PIN tried that is right now and was refused before
    #[arg(long, value_name = "N", requires = "pin")]
    pub pin_attempt: Option<u32>,
}

fn descriptor(text: &str) -> Result<i32, &'static str> {
    let number = text.parse().ok().filter(|number| matches!(number, 0 | 3..=65_535));
    number.ok_or("must be the number of one to read from: 0, or 3 and more")
}

/// A scan by itself.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Write every record as a line of JSON the moment it is made; - is standard output. With --plan
    /// the plan as one line, to standard output only
    #[arg(long, value_name = "FILE")]
    pub jsonl: Option<PathBuf>,
    /// Say what would be asked and how long it takes; sends, looks up and keeps nothing
    #[arg(long, conflicts_with = "resume")]
    pub plan: bool,
    #[command(flatten)]
    pub scope: ScopeArgs,
}

/// The forms that `--target` takes, and what they are good for.
const SCAN_HELP: &str = "Targets:
  www.example.org                     port 443 at every address of the name
  192.0.2.0/28:443,8443               a network
  192.0.2.10-40:web,mail              a range, with the ports of profiles
  smtp+tls://192.0.2.7:2525           TLS inside of SMTP
  [2001:db8::1]:636?sni=ldap.test     asked by a name, and without one

Examples:
  pkimm-agent scan --target 192.0.2.0/24:web --plan
  pkimm-agent scan --target-file hosts.txt --exclude-target 192.0.2.7 --depth posture
  pkimm-agent scan --target 10.0.0.0/8 --rate 500 --concurrency 2000 --deadline-secs 5
  pkimm-agent scan --target 10.0.0.0/8 --resume        after it was ended in the middle
  dig +short www.test | pkimm-agent scan --target-file - --jsonl - |
    jq 'select(.kind==\"endpoint\") | .facts.version'
  pkimm-agent scan --domain corp.example --bind-name pki-reader@corp.example
  pkimm-agent scan --ldif corp.ldif --ca-database issuing-ca-1.csv
  pkimm-agent scan --token 'pkcs11:token=CA%20keys' --pin-prompt

Lines of --jsonl: for each target one of kind endpoint or gap, and before it one for each
certificate it showed; one of kind coverage at the end of each scope. A target that the end of
the run cut off has a gap of reason run-ended, and is asked again by --resume.
A line may repeat after a kill.";

const RUN_HELP: &str =
    "With neither --root, --target, --target-file, a directory, tokens nor a settings file, it \
looks at this machine:\n/etc, /usr, /opt, /srv, /home, /root and /var, TLS on the ports that \
listen on loopback, and the tokens\nof the PKCS #11 modules that p11-kit is configured with, \
without a login.

Examples:
  pkimm-agent run --root /srv --target 192.0.2.0/28:443,8443
  pkimm-agent run --target-file hosts.txt --exclude-target 192.0.2.7 --depth posture
  pkimm-agent run --target 10.0.0.0/8 --rate 500 --concurrency 2000 --deadline-secs 5
  pkimm-agent run --target 10.0.0.0/8 --resume         after it was ended in the middle
  pkimm-agent run --domain corp.example --bind-name pki-reader@corp.example

`pkimm-agent scan --help` shows the forms of targets; `scan --plan` says how long they take.";

/// What to judge by.
#[derive(Debug, Args)]
pub struct YardstickArgs {
    /// Policy file [default: policy.toml where there is one, else built-in defaults]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Answers file [default: answers.yaml in the folder of the report where there is one]
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Model version (1.0.0, 1.1.0, 2.0.0) or the path of an official model file
    #[arg(long, default_value = pki_maturity::DEFAULT_VERSION)]
    pub model: String,
}

/// What to judge, by what and as of when.
#[derive(Debug, Args)]
pub struct JudgingArgs {
    #[command(flatten)]
    pub by: YardstickArgs,
    /// Judge as of this instant or date instead of now
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<Time>,
    /// Judge what this run saw instead of the latest one
    #[arg(long, value_name = "NUMBER")]
    pub run: Option<RunId>,
}

/// When to end with exit code 1.
#[derive(Debug, Args)]
pub struct FailArgs {
    /// End with exit code 1 on findings of this weight
    #[arg(long, value_enum, default_value_t = FailOn::Nothing)]
    pub fail_on: FailOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Never
    Nothing,
    /// An answer that the evidence contradicts
    Contradicted,
    /// Anything that must not happen at all: a rule mapped with the scale `never`
    MustNot,
    /// Anything that is not met
    NotMet,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub by: YardstickArgs,
    #[command(flatten)]
    pub fail: FailArgs,
    #[command(flatten)]
    pub scope: ScopeArgs,
}

/// Which runs to look at.
#[derive(Debug, Args)]
pub struct SelectionArgs {
    /// What this run saw instead of the latest one
    #[arg(long, value_name = "NUMBER", conflicts_with = "all_runs")]
    pub run: Option<RunId>,
    /// What all runs saw
    #[arg(long)]
    pub all_runs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LineFormat {
    /// One JSON object a line
    Jsonl,
}

#[derive(Debug, Subcommand)]
pub enum InventoryCommand {
    /// One line an asset
    List {
        /// Only this kind: certificate, endpoint, key, secret-key, token, keystore, revocation-list,
        /// signing-request, trust-store, authority, template, directory-object, issuance,
        /// automation, configuration, unparsed
        #[arg(long)]
        kind: Option<Kind>,
        #[command(flatten)]
        selection: SelectionArgs,
    },
    /// Certification authorities that directories register, and the hierarchy they stand in
    Cas {
        /// Take this instant or date as the present instead of now
        #[arg(long, value_name = "TIME")]
        as_of: Option<Time>,
        #[command(flatten)]
        selection: SelectionArgs,
    },
    /// Certificate templates of directories: who publishes them, who may enrol, for what
    Templates {
        #[command(flatten)]
        selection: SelectionArgs,
    },
    /// Tokens of PKCS #11 modules: what they are, how far they were read and what lies on them
    Tokens {
        #[command(flatten)]
        selection: SelectionArgs,
    },
    /// Private and symmetric keys wherever they lie, tokens first, and how well they are kept
    Keys {
        #[command(flatten)]
        selection: SelectionArgs,
    },
    /// Everything about one asset
    Show {
        /// Asset id, or as many of its first digits as make it unique
        asset: String,
        #[command(flatten)]
        selection: SelectionArgs,
    },
    /// Everything, for machines
    Export {
        /// Format
        #[arg(long, value_enum, default_value_t = LineFormat::Jsonl)]
        format: LineFormat,
        /// Only this kind
        #[arg(long)]
        kind: Option<Kind>,
        /// What was asked for and not read, instead of what was found
        #[arg(long)]
        gaps: bool,
        #[command(flatten)]
        selection: SelectionArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum FindingsCommand {
    /// What is not met or unknown, a line each
    List {
        #[command(flatten)]
        judging: JudgingArgs,
    },
    /// Every finding, met and not applicable ones too, for machines
    Export {
        /// Format
        #[arg(long, value_enum, default_value_t = LineFormat::Jsonl)]
        format: LineFormat,
        /// What was asked for and not read, instead of what was found
        #[arg(long)]
        gaps: bool,
        #[command(flatten)]
        judging: JudgingArgs,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnswersFormat {
    /// A file that the official web self-assessment imports; suggestions are flagged
    PkimmWeb,
}

#[derive(Debug, Subcommand)]
pub enum AnswersCommand {
    /// Write the questionnaire, with suggestions and their evidence as comments
    Init {
        /// File to write [default: answers.yaml in the folder of the report]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write over an existing file; answers in it are kept
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        judging: JudgingArgs,
    },
    /// Write answers and suggestions for another tool
    Export {
        /// Which tool
        #[arg(long = "as", value_enum)]
        format: AnswersFormat,
        /// File to write instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        judging: JudgingArgs,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use pki_config::{Depth, FilesystemScope, TlsScope};
    use pki_inventory::Kind;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn help_names_every_kind() {
        let cli = super::Cli::command();
        let list = cli.find_subcommand("inventory").and_then(|c| c.find_subcommand("list"));
        let mut arguments = list.expect("a command").get_arguments();
        let kind = arguments.find(|argument| argument.get_id() == "kind").expect("an option");
        let help = kind.get_help().expect("has a sentence").to_string();
        let told = help.split_once(": ").map_or("", |(_, told)| told);
        assert_eq!(told, Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "));
    }

    #[test]
    fn help_tells_the_defaults_of_the_options() {
        let files = FilesystemScope::default();
        let base = TlsScope::default();
        let deadline = |depth| TlsScope { depth, ..TlsScope::default() }.deadline().as_secs();
        let [first, second, third] = [0, 1, 2].map(|at| deadline(Depth::ALL[at]));
        for command in ["scan", "run"] {
            let cli = super::Cli::command();
            let command = cli.find_subcommand(command).expect("a command");
            for (option, default) in [
                ("depth", base.depth.to_string()),
                ("rate", base.connections_per_sec.to_string()),
                ("concurrency", base.concurrency.to_string()),
                ("per_host", base.per_host.to_string()),
                ("retries", base.retries.to_string()),
                ("deadline_secs", format!("by depth {first}, {second} or {third}")),
                ("nice", files.nice.to_string()),
                ("io_priority", files.io_priority.to_string()),
            ] {
                let found = command.get_arguments().find(|argument| argument.get_id() == option);
                let help = found.and_then(|argument| argument.get_help()).expect("has a sentence");
                let help = help.to_string();
                assert!(help.ends_with(&format!("[default: {default}]")), "{option}: {help}");
            }
        }
    }
}
