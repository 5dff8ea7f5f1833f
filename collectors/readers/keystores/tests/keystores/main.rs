//! Keystores as the tools of their formats write them, and as nobody does.
//!
//! Debian packages: openssl, openjdk-17-jre-headless (`keytool`), ca-certificates-java,
//! libbcprov-java, libnss3-tools (`certutil`, `pk12util`), sqlite3.

mod bouncy_castle;
mod hostile;
mod java;
mod limits;
mod nss;
mod pkcs12;
mod shared_pages;
mod tools;
