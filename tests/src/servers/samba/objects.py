#!/usr/bin/python3
"""Adds objects to the database of a Samba domain controller that is not running.

Usage: objects.py SMB_CONF SAM_LDB < OBJECTS

OBJECTS is a JSON list. Each object has `dn`, `attributes` (a list of text or {"base64": ...} for each
name) and, if it is to have one of its own, `access`: a security descriptor in SDDL, in which [name]
stands for the security identifier of the account with that name. Where `change` is true the object is
there already and gets these attributes and this descriptor. A `password` is that of an account.
"""

import base64
import json
import re
import sys

import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB


def octets(value):
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def identifier(database, name):
    found = database.search(expression="(sAMAccountName=%s)" % ldb.binary_encode(name), attrs=["objectSid"])
    if len(found) != 1:
        raise SystemExit("%d accounts are called %s" % (len(found), name))
    return str(ndr_unpack(security.dom_sid, bytes(found[0]["objectSid"][0])))


def descriptor(database, text):
    text = re.sub(r"\[([^]]+)\]", lambda found: identifier(database, found.group(1)), text)
    domain = security.dom_sid(database.get_domain_sid())
    return ndr_pack(security.descriptor.from_sddl(text, domain))


def main():
    configuration, path = sys.argv[1:]
    parameters = LoadParm()
    parameters.load(configuration)
    database = SamDB(path, session_info=system_session(), lp=parameters)
    database.transaction_start()
    for entry in json.load(sys.stdin):
        change = entry.get("change", False)
        flag = ldb.FLAG_MOD_REPLACE if change else ldb.FLAG_MOD_ADD
        values = {name: [octets(value) for value in all] for name, all in entry["attributes"].items()}
        if "access" in entry:
            values["nTSecurityDescriptor"] = [descriptor(database, entry["access"])]
        if "password" in entry:
            values["unicodePwd"] = [('"%s"' % entry["password"]).encode("utf-16-le")]
        message = ldb.Message(ldb.Dn(database, entry["dn"]))
        for name, all in values.items():
            message[name] = ldb.MessageElement(all, flag, name)
        try:
            database.modify(message) if change else database.add(message)
        except ldb.LdbError as error:
            raise SystemExit("%s: %s" % (entry["dn"], error))
    database.transaction_commit()


main()
