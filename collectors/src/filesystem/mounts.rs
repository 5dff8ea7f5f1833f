//! Which filesystems lie where, and which of them are read.
//!
//! The mount table is asked before the filesystem itself: looking at a share whose server is gone
//! blocks for good, and looking at an automount point mounts it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What kind of filesystem something lies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nature {
    /// Files of this host.
    Local,
    /// The kernel makes the content up as it is read.
    Pseudo(String),
    /// Files that come over the network or out of a program.
    Foreign(String),
}

/// The mounts of this process's view, and what was learned about devices since.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    points: BTreeMap<PathBuf, Nature>,
    /// By number: from the table first, because a magic number tells less (a local `fuseblk` disk
    /// and a remote `fuse.sshfs` have the same one).
    devices: Mutex<BTreeMap<u64, Nature>>,
    /// The type of filesystem of each device of the table, such as `ext4`.
    types: BTreeMap<u64, String>,
}

/// Names of filesystems without files of their own, as in `/proc/filesystems`.
const PSEUDO: &[&str] = &[
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fuse.lxcfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nfsd",
    "nsfs",
    "proc",
    "pstore",
    "resctrl",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "sysfs",
    "tracefs",
];

/// Names of filesystems behind a network, a hypervisor or a program. `fuseblk` is a local disk and
/// `fuse.fuse-overlayfs` the root of a container; neither is listed.
const FOREIGN: &[&str] = &[
    "9p",
    "afs",
    "autofs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "smb3",
    "smbfs",
    "vboxsf",
    "virtiofs",
];

/// The same by magic number (statfs(2), linux/magic.h), for what is not in the mount table.
const MAGIC: &[(u32, &str)] = &[
    (0x0000_0187, "autofs"),
    (0x0000_1cd1, "devpts"),
    (0x0000_517b, "smbfs"),
    (0x0000_6969, "nfs"),
    (0x0000_9fa0, "proc"),
    (0x0027_e0eb, "cgroup"),
    (0x0102_1997, "9p"),
    (0x0bd0_0bd0, "lustre"),
    (0x00c3_6400, "ceph"),
    (0x1980_0202, "mqueue"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x4750_4653, "gpfs"),
    (0x5346_414f, "afs"),
    (0x6165_676c, "pstore"),
    (0x6265_6570, "configfs"),
    (0x6265_6572, "sysfs"),
    (0x6367_7270, "cgroup2"),
    (0x6462_6720, "debugfs"),
    (0x6573_5543, "fusectl"),
    (0x6573_5546, "fuse"),
    (0x6e73_6673, "nsfs"),
    (0x6759_6969, "rpc_pipefs"),
    (0x7363_6673, "securityfs"),
    (0x7375_7245, "coda"),
    (0x7472_6163, "tracefs"),
    (0x786f_4256, "vboxsf"),
    (0x9584_58f6, "hugetlbfs"),
    (0xcafe_4a11, "bpf"),
    (0xde5e_81e4, "efivarfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0xfe53_4d42, "smb3"),
    (0xff53_4d42, "cifs"),
];

/// The mount table of a host with thousands of containers has a few megabytes.
const LARGEST_TABLE: u64 = 64 * 1024 * 1024;

impl Mounts {
    /// Reads the mount table. Without one, such as in a bare chroot, statfs(2) has to do.
    pub(super) fn of_this_process() -> Self {
        let mut table = Vec::new();
        let file = File::open("/proc/self/mountinfo");
        if let Err(error) = file.and_then(|file| file.take(LARGEST_TABLE).read_to_end(&mut table)) {
            tracing::debug!(%error, "The mount table is not readable; filesystems are asked instead.");
        }
        Self::of_table(&table)
    }

    /// proc_pid_mountinfo(5): `id parent device root point options [fields…] - type source options`.
    pub(super) fn of_table(table: &[u8]) -> Self {
        let (mut points, mut devices, mut types) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for line in table.split(|octet| *octet == b'\n') {
            let mut fields = line.split(|octet| *octet == b' ').skip(2);
            let Some(device) = fields.next() else { continue };
            let Some(point) = fields.nth(1) else { continue };
            let Some(kind) = fields.skip_while(|field| *field != b"-").nth(1) else { continue };
            let point = PathBuf::from(OsString::from_vec(unescape(point)));
            let kind = String::from_utf8_lossy(kind).into_owned();
            let by_name = of_name(&kind);
            // Containers have their devices on a plain tmpfs, or in a folder of another filesystem.
            let nature = if point == Path::new("/dev") {
                Nature::Pseudo("devices".to_owned())
            } else {
                by_name.clone()
            };
            // A later mount covers an earlier one. An automount point that is mounted is listed
            // twice.
            points.insert(point, nature);
            if let Some(device) = device_number(device) {
                devices.insert(device, by_name);
                types.insert(device, kind);
            }
        }
        Self { points, devices: Mutex::new(devices), types }
    }

    /// The type of filesystem that a device of the mount table has.
    pub(super) fn type_of(&self, device: u64) -> Option<String> {
        self.types.get(&device).cloned()
    }

    /// What is mounted exactly here, by the mount table. Touches nothing.
    pub(super) fn at(&self, path: &Path) -> Option<&Nature> {
        self.points.get(path)
    }

    /// What a path lies on, by the mount table. Touches nothing.
    pub(super) fn above(&self, path: &Path) -> Option<&Nature> {
        path.ancestors().find_map(|ancestor| self.at(ancestor))
    }

    /// What the device of this existing folder or file is, by the mount table. A device that is not
    /// in it (mounted since, or a part of a larger filesystem) is asked itself, once.
    pub(super) fn of_device(&self, device: u64, path: &Path) -> Nature {
        let known = |devices: &BTreeMap<u64, Nature>| devices.get(&device).cloned();
        // The map stays whole whatever happened to the thread that held it.
        let mut devices = self.devices.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(nature) = known(&devices) {
            return nature;
        }
        let nature = rustix::fs::statfs(path).map_or(Nature::Local, |fs| {
            // The magic number is 32 bits wide; the field is wider and signed on some machines.
            let magic = u32::try_from(fs.f_type & 0xffff_ffff).unwrap_or_default();
            let name = MAGIC.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name);
            name.map_or(Nature::Local, of_name)
        });
        devices.insert(device, nature.clone());
        nature
    }
}

fn of_name(name: &str) -> Nature {
    if PSEUDO.contains(&name) {
        Nature::Pseudo(name.to_owned())
    } else if FOREIGN.contains(&name)
        || (name.starts_with("fuse.") && name != "fuse.fuse-overlayfs")
    {
        Nature::Foreign(name.to_owned())
    } else {
        Nature::Local
    }
}

/// `major:minor`, as stat(2) gives it.
fn device_number(text: &[u8]) -> Option<u64> {
    let (major, minor) = std::str::from_utf8(text).ok()?.split_once(':')?;
    Some(rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?))
}

/// Spaces, tabs, line ends and backslashes are written as octal numbers.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|_| first == b'\\');
        let octet = octal
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        octets.push(octet.unwrap_or(first));
        rest = if octet.is_some() { &tail[3..] } else { tail };
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_table_tells_local_pseudo_and_foreign_filesystems_apart() {
        let mounts = Mounts::of_table(
            b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
              23 22 0:5 / /proc rw - proc proc rw\n\
              24 22 0:6 / /dev rw - tmpfs tmpfs rw\n\
              25 22 0:40 / /mnt/my\\040share rw shared:2 master:3 - nfs4 host:/x rw\n\
              26 22 0:41 / /home/a/remote rw - fuse.sshfs a@b: rw\n\
              27 22 0:42 / /run rw - tmpfs tmpfs rw\n\
              28 22 0:43 / /auto rw - autofs auto rw\n\
              29 22 0:44 / /auto rw - ext4 /dev/sdb rw\n\
              broken line\n",
        );
        for (path, nature) in [
            ("/", Nature::Local),
            ("/proc", Nature::Pseudo("proc".into())),
            ("/dev", Nature::Pseudo("devices".into())),
            ("/mnt/my share", Nature::Foreign("nfs4".into())),
            ("/home/a/remote", Nature::Foreign("fuse.sshfs".into())),
            ("/run", Nature::Local),
            ("/auto", Nature::Local),
        ] {
            assert_eq!(mounts.at(Path::new(path)), Some(&nature), "{path}");
        }
        assert_eq!(mounts.points.len(), 7);
        assert_eq!(mounts.type_of(rustix::fs::makedev(0, 40)).as_deref(), Some("nfs4"));
        assert_eq!(mounts.type_of(1), None);
    }

    #[test]
    fn the_kernel_filesystem_is_known_by_asking_it() {
        let mounts = Mounts::default();
        assert_eq!(mounts.of_device(1, Path::new("/proc")), Nature::Pseudo("proc".into()));
        assert_eq!(mounts.of_device(2, &std::env::temp_dir()), Nature::Local);
    }

    #[test]
    fn the_mount_table_is_believed_before_the_filesystem_itself() {
        // By its magic number, what lies at `/proc` is no file; the table says that this device is.
        let mounts = Mounts::of_table(
            b"22 1 0:77 / /media/disk rw - fuseblk /dev/sdb1 rw\n23 1 0:78 / /x rw - fuse.sshfs a: rw\n\
              24 1 0:79 /dev /dev rw - ext4 /dev/sda rw\n",
        );
        let proc = Path::new("/proc");
        assert_eq!(mounts.of_device(rustix::fs::makedev(0, 77), proc), Nature::Local);
        let foreign = Nature::Foreign("fuse.sshfs".into());
        assert_eq!(mounts.of_device(rustix::fs::makedev(0, 78), proc), foreign);
        // Devices may lie on the disk that everything else lies on.
        assert_eq!(mounts.of_device(rustix::fs::makedev(0, 79), proc), Nature::Local);
        assert_eq!(
            mounts.of_device(rustix::fs::makedev(0, 80), proc),
            Nature::Pseudo("proc".into())
        );
    }
}
