#!/usr/bin/python3
"""Writes real.tsv and checked.tsv with Samba's library (Debian's python3-samba, 4.17.12).

real.tsv: name, SDDL, octets of a descriptor, as Samba encodes it.
checked.tsv: octets of a descriptor made by chance, and for ordinary users, computers, guests and the
anonymous which of five single bits Samba's check of access grants.
"""
import random

from samba import security as check
from samba.dcerpc import security
from samba.ndr import ndr_pack

DOMAIN = "S-1-5-21-1000000001-2000000002-300000003"
ENROL = "0e10c968-78fb-11d2-90d4-00c04f79dc55"
AUTO_ENROL = "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
MAPPINGS = "00fbf30c-91fe-11d1-aebc-0000f80367c1"
USER_CLASS = "bf967aba-0de6-11d0-a285-00aa003049e2"
TEMPLATE_CLASS = "e5209ca2-3bba-11d2-90cc-00c04fd91ab1"
ALL = "CCDCLCSWRPWPDTLOCRSDRCWDWO"
SAFE = f"(A;;{ALL};;;DA)(A;;{ALL};;;{DOMAIN}-519)(A;;LCRPLORC;;;AU)"
OWNER = f"O:{DOMAIN}-519G:{DOMAIN}-519"


def read(sddl):
    return security.descriptor.from_sddl(sddl, security.dom_sid(DOMAIN))


def real():
    own = {
        "default user template": f"{OWNER}D:PAI(OA;;RPWPCR;{ENROL};;DA)(OA;;RPWPCR;{ENROL};;DU)"
        f"(OA;;RPWPCR;{ENROL};;{DOMAIN}-519){SAFE}",
        "machine template": f"{OWNER}D:PAI(OA;;CR;{ENROL};;DC)(OA;;CR;{AUTO_ENROL};;DC){SAFE}",
        "generic all to everyone signed in": f"{OWNER}D:PAI(A;;GA;;;AU){SAFE}",
        "generic write to domain users": f"{OWNER}D:PAI(A;;GW;;;DU){SAFE}",
        "denied to users": f"{OWNER}D:PAI(D;;CR;;;DU)(OA;;CR;{ENROL};;AU){SAFE}",
        "denied for another right": f"{OWNER}D:PAI(OD;;CR;{AUTO_ENROL};;AU)(A;;CR;;;AU){SAFE}",
        "denied too late": f"{OWNER}D:PAI(OA;;CR;{ENROL};;AU)(D;;CR;;;AU){SAFE}",
        "for a group": f"{OWNER}D:PAI(OA;;CR;{ENROL};;{DOMAIN}-1105){SAFE}",
        "inherited": f"{OWNER}D:AI(A;CIIO;GA;;;AU)(A;CIID;{ALL};;;EA)(A;CIIOID;WD;;;DU)"
        "(A;ID;WO;;;DU)",
        "one attribute": f"{OWNER}D:AI(OA;;WP;{MAPPINGS};;BU)(OA;CIIO;WP;;{USER_CLASS};DU)"
        f"(OA;CIID;WP;{MAPPINGS};{USER_CLASS};{DOMAIN}-1105){SAFE}",
        "templates below": f"{OWNER}D:AI(OA;;CC;{TEMPLATE_CLASS};;DU)(OA;;CC;{USER_CLASS};;AU){SAFE}",
        "owned by a user": f"O:{DOMAIN}-1106G:DUD:PAI{SAFE}",
        "owned without rights": f"O:{DOMAIN}-1106G:DUD:PAI(A;;RC;;;OW){SAFE}",
        "empty list": f"{OWNER}D:PAI",
        "audited": f"{OWNER}D:PAI{SAFE}S:AI(AU;SAFA;WDWO;;;WD)",
        "list not asked for": OWNER,
    }
    rows = [(name, sddl, read(sddl)) for name, sddl in own.items()]
    # Samba's reader of SDDL sets the bit in any case.
    rows[-1][2].type &= ~security.SEC_DESC_DACL_PRESENT
    without = read(OWNER)
    without.type |= security.SEC_DESC_DACL_PRESENT
    rows.append(("no list", f"{OWNER}D:NO_ACCESS_CONTROL", without))
    with open("real.tsv", "w") as out:
        for name, sddl, descriptor in rows:
            out.write(f"{name}\t{sddl}\t{ndr_pack(descriptor).hex()}\n")


BITS = ["CC", "WP", "CR", "WD", "WO"]
VALUES = {"CC": 0x1, "WP": 0x20, "CR": 0x100, "WD": 0x40000, "WO": 0x80000}
EVERYBODY = ["S-1-1-0", "S-1-5-2"]
SIGNED_IN = EVERYBODY + ["S-1-5-11", "S-1-5-32-545", "S-1-5-15", "S-1-18-1"]
TOKENS = {
    "users": SIGNED_IN + [f"{DOMAIN}-513"],
    "computers": SIGNED_IN + [f"{DOMAIN}-515"],
    "guests": EVERYBODY + ["S-1-5-32-546", f"{DOMAIN}-501", f"{DOMAIN}-514"],
    "anonymous": ["S-1-5-7", "S-1-5-2"],
}
NAMED = ["WD", "AU", "BU", "NU", "AN", "DU", "DC", "DG", "BG", "DA", f"{DOMAIN}-1105", "OW"]


def checked(count):
    chance = random.Random(3)
    with open("checked.tsv", "w") as out:
        for _ in range(count):
            owner = chance.choice([f"{DOMAIN}-519", "DA", "DU", "AU", "DG"])
            entries = ""
            for _ in range(chance.randrange(1, 7)):
                kind = chance.choice("AAD")
                flags = chance.choice(["", "", "", "ID", "CI", "CIIO"])
                bits = "".join(chance.sample(BITS, chance.randrange(1, 4)))
                entries += f"({kind};{flags};{bits};;;{chance.choice(NAMED)})"
            descriptor = read(f"O:{owner}G:DUD:{entries}")
            answers = []
            for sort, sids in TOKENS.items():
                token = security.token()
                token.sids = [security.dom_sid(sid) for sid in sids]
                token.num_sids = len(sids)
                granted = []
                for bit in BITS:
                    try:
                        check.access_check(descriptor, token, VALUES[bit])
                        granted.append(bit)
                    except Exception:
                        pass
                answers.append(f"{sort}={','.join(granted)}")
            out.write("\t".join([ndr_pack(descriptor).hex(), entries, *answers]) + "\n")


real()
checked(200)
