/*
 * A PKCS #11 module that misbehaves on demand: a fixed token, and ways to be wrong, named by
 * the environment variable PKIMM_MISBEHAVE. README.md beside this file lists the ways.
 *
 * Declares what it needs of PKCS #11 v2.40 itself; the numbers are those of the standard. Whatever is
 * done to it that a reader must not do goes as a line into the file that PKIMM_ATTEMPTS names.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned char byte;
typedef unsigned long ulong;

struct version { byte major, minor; };
struct info { struct version cryptoki; byte manufacturer[32]; ulong flags; byte description[32]; struct version library; };
struct slot_info { byte description[64], manufacturer[32]; ulong flags; struct version hardware, firmware; };
struct token_info {
    byte label[32], manufacturer[32], model[16], serial[16];
    ulong flags, max_sessions, sessions, max_rw, rw, max_pin, min_pin;
    ulong total_public, free_public, total_private, free_private;
    struct version hardware, firmware;
    byte clock[16];
};
struct mechanism_info { ulong least, most, flags; };
struct attribute { ulong type; void *value; ulong length; };
struct interface { const char *name; void *functions; ulong flags; };
typedef ulong (*function)();
struct functions { struct version version; function call[68]; };

enum {
    OK = 0, HOST_MEMORY = 2, GENERAL_ERROR = 5, FUNCTION_FAILED = 6, CANT_LOCK = 0xA, SENSITIVE = 0x11,
    TYPE_INVALID = 0x12, DEVICE_ERROR = 0x30, NOT_SUPPORTED = 0x54, OBJECT_INVALID = 0x82,
    PIN_INCORRECT = 0xA0, SESSION_INVALID = 0xB3, NOT_PRESENT = 0xE0, NOT_RECOGNIZED = 0xE1,
    NOT_LOGGED_IN = 0x101, TOO_SMALL = 0x150
};
#define UNAVAILABLE (~0UL)
#define PUBLIC __attribute__((visibility("default")))

/* The token */

static const byte certificate[] = {
    0x30, 0x82, 0x01, 0x98, 0x30, 0x82, 0x01, 0x3e, 0xa0, 0x03, 0x02, 0x01,
    0x02, 0x02, 0x04, 0x4d, 0x49, 0x53, 0x42, 0x30, 0x0a, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x30, 0x31, 0x31, 0x14, 0x30,
    0x12, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x0b, 0x70, 0x6b, 0x69, 0x6d,
    0x6d, 0x20, 0x74, 0x65, 0x73, 0x74, 0x73, 0x31, 0x19, 0x30, 0x17, 0x06,
    0x03, 0x55, 0x04, 0x03, 0x0c, 0x10, 0x4d, 0x69, 0x73, 0x62, 0x65, 0x68,
    0x61, 0x76, 0x69, 0x6e, 0x67, 0x20, 0x52, 0x6f, 0x6f, 0x74, 0x30, 0x20,
    0x17, 0x0d, 0x32, 0x30, 0x30, 0x31, 0x30, 0x31, 0x30, 0x30, 0x30, 0x30,
    0x30, 0x30, 0x5a, 0x18, 0x0f, 0x32, 0x30, 0x39, 0x39, 0x31, 0x32, 0x33,
    0x31, 0x32, 0x33, 0x35, 0x39, 0x35, 0x39, 0x5a, 0x30, 0x31, 0x31, 0x14,
    0x30, 0x12, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x0b, 0x70, 0x6b, 0x69,
    0x6d, 0x6d, 0x20, 0x74, 0x65, 0x73, 0x74, 0x73, 0x31, 0x19, 0x30, 0x17,
    0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x10, 0x4d, 0x69, 0x73, 0x62, 0x65,
    0x68, 0x61, 0x76, 0x69, 0x6e, 0x67, 0x20, 0x52, 0x6f, 0x6f, 0x74, 0x30,
    0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42,
    0x00, 0x04, 0x4c, 0xb4, 0xce, 0xcb, 0x01, 0x77, 0x5f, 0x5b, 0x1c, 0x27,
    0x48, 0x8f, 0xe1, 0x6d, 0xb2, 0x07, 0x79, 0x13, 0x40, 0x60, 0x33, 0xe5,
    0x24, 0x3f, 0x9e, 0x15, 0x8d, 0x65, 0x5f, 0x4c, 0x46, 0xda, 0x50, 0x4d,
    0x51, 0xa0, 0x8d, 0xc4, 0xbb, 0xc4, 0xcc, 0x79, 0x51, 0x8e, 0x2e, 0x3a,
    0x0d, 0x0b, 0xcf, 0x54, 0x7e, 0xc9, 0x61, 0xc6, 0x71, 0xc6, 0x09, 0x7b,
    0xc3, 0x76, 0x39, 0x43, 0x21, 0x4f, 0xa3, 0x42, 0x30, 0x40, 0x30, 0x0f,
    0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03,
    0x01, 0x01, 0xff, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01,
    0xff, 0x04, 0x04, 0x03, 0x02, 0x01, 0x06, 0x30, 0x1d, 0x06, 0x03, 0x55,
    0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14, 0xc8, 0xec, 0x42, 0x76, 0xa5, 0x8e,
    0xe4, 0x46, 0x65, 0xd3, 0x9e, 0x89, 0xc5, 0x0d, 0x86, 0xe6, 0x73, 0x3a,
    0x81, 0x21, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04,
    0x03, 0x02, 0x03, 0x48, 0x00, 0x30, 0x45, 0x02, 0x20, 0x3c, 0x52, 0xc4,
    0x09, 0x79, 0xcb, 0x61, 0x5a, 0x5e, 0x83, 0x22, 0xe0, 0x7a, 0xd0, 0x5f,
    0x89, 0x71, 0x58, 0x2a, 0xde, 0xae, 0xf3, 0x61, 0x6f, 0x64, 0xeb, 0x7d,
    0xe0, 0x0e, 0xdb, 0x9a, 0xdf, 0x02, 0x21, 0x00, 0x90, 0x0b, 0x31, 0x01,
    0x3e, 0xf4, 0x58, 0x51, 0x44, 0x3d, 0x4d, 0x14, 0xe5, 0x42, 0xde, 0x44,
    0xa4, 0x72, 0x57, 0xf1, 0x9c, 0x46, 0xa8, 0x55, 0x00, 0xe7, 0xc1, 0xac,
    0x83, 0x02, 0x30, 0x79,
};
static const byte point[] = {
    0x04, 0x41, 0x04, 0x4c, 0xb4, 0xce, 0xcb, 0x01, 0x77, 0x5f, 0x5b, 0x1c,
    0x27, 0x48, 0x8f, 0xe1, 0x6d, 0xb2, 0x07, 0x79, 0x13, 0x40, 0x60, 0x33,
    0xe5, 0x24, 0x3f, 0x9e, 0x15, 0x8d, 0x65, 0x5f, 0x4c, 0x46, 0xda, 0x50,
    0x4d, 0x51, 0xa0, 0x8d, 0xc4, 0xbb, 0xc4, 0xcc, 0x79, 0x51, 0x8e, 0x2e,
    0x3a, 0x0d, 0x0b, 0xcf, 0x54, 0x7e, 0xc9, 0x61, 0xc6, 0x71, 0xc6, 0x09,
    0x7b, 0xc3, 0x76, 0x39, 0x43, 0x21, 0x4f,
};
static const byte curve[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const byte name_of_root[] = {
    0x30, 0x31, 0x31, 0x14, 0x30, 0x12, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x0b, 'p', 'k', 'i', 'm', 'm',
    ' ', 't', 'e', 's', 't', 's', 0x31, 0x19, 0x30, 0x17, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x10, 'M',
    'i', 's', 'b', 'e', 'h', 'a', 'v', 'i', 'n', 'g', ' ', 'R', 'o', 'o', 't',
};
static const byte yes = 1, no = 0, id_1 = 1, id_2 = 2;
static const ulong n0 = 0, n1 = 1, n2 = 2, n3 = 3, n4 = 4, n31 = 0x1F, n32 = 32;
static const ulong vendor_type = 0x80000042UL, vendor_mechanism = 0x80000001UL;
static const ulong ec_key_pair = 0x1040, aes_key = 0x1080;
static const ulong allowed[] = {0x1041, 0x80000001UL};

#define A(type, what) {type, (void *)&what, sizeof what}
#define T(type, text) {type, (void *)text, sizeof text - 1}
#define KEPT_SECRET A(0x103, yes), A(0x165, yes), A(0x162, no), A(0x164, yes), A(0x163, yes)
#define END {0, NULL, UNAVAILABLE}

static const struct attribute root[] = {
    A(0, n1), A(1, yes), A(2, no), T(3, "Root"), A(0x80, n0), A(0x86, yes), A(0x87, n2), A(0x101, name_of_root),
    A(0x102, id_1), A(0x170, no), A(0x11, certificate), END};
static const struct attribute root_public[] = {
    A(0, n2), A(1, yes), A(2, no), T(3, "Root"), A(0x100, n3), A(0x102, id_1), A(0x10A, yes), A(0x163, yes),
    A(0x166, ec_key_pair), A(0x170, no), A(0x180, curve), A(0x181, point), END};
static const struct attribute root_private[] = {
    A(0, n3), A(1, yes), A(2, yes), T(3, "Root"), A(0x100, n3), A(0x102, id_1), A(0x108, yes), A(0x105, no),
    A(0x107, no), KEPT_SECRET, A(0x166, ec_key_pair), A(0x170, no), A(0x180, curve), A(0x202, no),
    T(0x110, "20200101"), T(0x111, ""), A(0x40000600, allowed), END};
static const struct attribute wrapping[] = {
    A(0, n4), A(1, yes), A(2, no), T(3, "Wrapping"), A(0x100, n31), A(0x102, id_2), A(0x106, yes), A(0x107, yes),
    A(0x104, no), A(0x105, no), KEPT_SECRET, A(0x161, n32), A(0x166, aes_key), A(0x170, no), A(0x210, no), END};
static const struct attribute vendors[] = {
    A(0, n3), A(1, yes), A(2, no), T(3, "Vendor"), A(0x100, vendor_type), A(0x102, id_2), A(0x108, yes),
    KEPT_SECRET, A(0x166, vendor_mechanism), A(0x170, no), A(0x80000007UL, id_2), END};

/* The same with one attribute that the others of its kind do not have. */
static const struct attribute odd_one[] = {
    A(0, n3), A(1, yes), A(2, no), T(3, "Odd"), A(0x100, vendor_type), A(0x102, id_2), A(0x108, yes),
    KEPT_SECRET, A(0x166, vendor_mechanism), A(0x170, no), A(0x202, yes), END};

/* Handles 1 to 5; where there are a million, the rest are private keys. */
static const struct attribute *const objects[] = {root, root_public, root_private, wrapping, vendors};
#define MILLION 1000000UL

static int logged_in, searching, asked_for_slots, was_opened;
static ulong search_class, search_next;

/* How to be wrong */

/* Whether the mode is among those that are wanted, with commas between them. */
static int is(const char *mode) {
    const char *wanted = getenv("PKIMM_MISBEHAVE");
    size_t length = strlen(mode);
    while (wanted != NULL && *wanted != 0) {
        if (strncmp(wanted, mode, length) == 0 && (wanted[length] == 0 || wanted[length] == ',')) return 1;
        wanted = strchr(wanted, ',');
        if (wanted != NULL) wanted++;
    }
    return 0;
}

static void note(const char *format, ...) {
    const char *path = getenv("PKIMM_ATTEMPTS");
    int file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    char line[128];
    va_list rest;
    if (file < 0) return;
    va_start(rest, format);
    int length = vsnprintf(line, sizeof line, format, rest);
    va_end(rest);
    if (write(file, line, (size_t)length) < 0) abort();
    close(file);
}

/* Not by a bad pointer: a compiler may do with one as it likes. */
static void crash(void) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}
static void hang(void) { for (;;) sleep(1000); }

/* What `<way>-in-<place>` asks for, at that place. */
static void misbehave_in(const char *place) {
    char mode[64];
    snprintf(mode, sizeof mode, "crash-in-%s", place);
    if (is(mode)) crash();
    snprintf(mode, sizeof mode, "hang-in-%s", place);
    if (is(mode)) hang();
    snprintf(mode, sizeof mode, "exit-in-%s", place);
    if (is(mode)) exit(0);
}

static void noise(void) {
    static const char line[] = "{\"Object\":{\"slot\":0}} not an answer\n\xff\xfe\n";
    if (is("prints")) {
        for (int i = 0; i < 100; i++) {
            printf("%s", line);
            fprintf(stderr, "%s", line);
        }
        fflush(stdout);
    }
    if (is("reads")) {
        char swallowed[256];
        note("read %ld octets of standard input\n", (long)read(0, swallowed, sizeof swallowed));
    }
    if (is("noise-everywhere"))
        for (int file = 1; file < 256; file++)
            if (fcntl(file, F_GETFD) != -1 && write(file, line, sizeof line - 1) < 0) continue;
}

__attribute__((constructor)) static void load(void) {
    misbehave_in("load");
    noise();
}

static void text(byte *place, size_t size, const char *what) {
    memset(place, ' ', size);
    memcpy(place, what, strlen(what) < size ? strlen(what) : size);
}

static ulong list(ulong *place, ulong *count, const ulong *of, ulong length) {
    ulong room = *count;
    *count = length;
    if (place == NULL) return OK;
    if (room < length) return TOO_SMALL;
    memcpy(place, of, length * sizeof *of);
    return OK;
}

/* The functions that a reader calls */

static ulong initialize(void *argument) {
    struct { void *mutex[4]; ulong flags; const char *reserved; } *arguments = argument;
    misbehave_in("initialize");
    noise();
    if (is("initialize-fails")) return GENERAL_ERROR;
    if (is("cannot-lock") && arguments != NULL && (arguments->flags & 2)) return CANT_LOCK;
    if (is("parameters"))
        note("parameters %s\n", arguments == NULL || !arguments->reserved ? "none" : arguments->reserved);
    return OK;
}

static ulong finalize(void *reserved) {
    misbehave_in("finalize");
    return reserved == NULL ? OK : GENERAL_ERROR;
}

static ulong get_info(struct info *info) {
    if (is("info-fails")) return FUNCTION_FAILED;
    memset(info, 0, sizeof *info);
    info->cryptoki = (struct version){2, 40};
    info->library = (struct version){1, 7};
    text(info->manufacturer, 32, "pkimm tests");
    text(info->description, 32, "A module that misbehaves");
    return OK;
}

static ulong slot_list(byte present, ulong *place, ulong *count) {
    static const ulong slots[] = {7, 8};
    ulong many[300];
    (void)present;
    if (is("slots-fail")) return DEVICE_ERROR;
    if (is("growing-slots") && ++asked_for_slots < 1000) {
        ulong room = *count;
        *count = place == NULL ? 1 : room + 1;
        return place == NULL ? OK : TOO_SMALL;
    }
    if (is("many-slots")) {
        *count = place == NULL ? 1000000 : *count;
        return place == NULL ? OK : TOO_SMALL;
    }
    if (is("slots-twice")) {
        for (ulong i = 0; i < 64; i++) many[i] = 7;
        return list(place, count, many, 64);
    }
    if (is("hundreds-of-slots")) {
        for (ulong i = 0; i < 300; i++) many[i] = 7 + i;
        return list(place, count, many, 300);
    }
    return list(place, count, slots, is("slot-fails") || is("empty-slot") ? 2 : 1);
}

static ulong slot_info(ulong slot, struct slot_info *info) {
    misbehave_in("slots");
    if (is("slot-fails") && slot == 7) return DEVICE_ERROR;
    memset(info, 0, sizeof *info);
    text(info->description, 64, "A slot that misbehaves");
    text(info->manufacturer, 32, "pkimm tests");
    info->flags = is("empty-slot") && slot == 8 ? 0 : 1;
    if (is("claims-hardware")) info->flags |= 4;
    return OK;
}

static ulong token_info(ulong slot, struct token_info *info) {
    if (is("token-fails")) return NOT_RECOGNIZED;
    if (is("token-leaves-later") && was_opened) return NOT_PRESENT;
    memset(info, 0, sizeof *info);
    text(info->label, 32, slot == 7 ? "Misbehaving" : "Misbehaving too");
    text(info->manufacturer, 32, "pkimm tests");
    text(info->model, 16, "Misbehaving 1");
    text(info->serial, 16, slot == 7 ? "0007" : "0008");
    if (is("swapped-later") && was_opened) text(info->serial, 16, "0666");
    text(info->clock, 16, is("bad-clock") ? "\xff\xfe is no time" : "");
    /* RNG, login required, PIN of the user set, initialised */
    info->flags = 0x1 | 0x4 | 0x8 | 0x400;
    if (is("bad-clock")) info->flags |= 0x40;
    if (is("public-token")) info->flags &= ~0x4UL;
    if (is("device-login")) info->flags |= 0x100;
    if (is("count-low")) info->flags |= 0x10000;
    if (is("final-try")) info->flags |= 0x30000;
    if (is("locked")) info->flags |= 0x40000;
    if (is("count-low-later") && was_opened) info->flags |= 0x10000;
    if (is("final-try-later") && was_opened) info->flags |= 0x20000;
    if (is("locked-later") && was_opened) info->flags |= 0x40000;
    if (is("not-initialised")) info->flags = 0x1;
    info->max_pin = 64, info->min_pin = 4, info->sessions = UNAVAILABLE;
    info->total_public = info->free_public = info->total_private = info->free_private = UNAVAILABLE;
    info->hardware = (struct version){1, 2};
    info->firmware = (struct version){3, 4};
    return OK;
}

static ulong mechanism_list(ulong slot, ulong *place, ulong *count) {
    static const ulong mechanisms[] = {0x1040, 0x1041, 0x1080, 0x80000001UL, 0xFFFFFFFFFFFFFFF0UL};
    (void)slot;
    if (is("mechanisms-fail")) return FUNCTION_FAILED;
    if (is("thousands-of-mechanisms")) {
        ulong many[2000];
        for (ulong i = 0; i < 2000; i++) many[i] = 0x80000000UL + i;
        return list(place, count, many, 2000);
    }
    return list(place, count, mechanisms, is("vendor-types") ? 5 : 3);
}

static ulong mechanism_info(ulong slot, ulong number, struct mechanism_info *info) {
    (void)slot;
    if (number == 0xFFFFFFFFFFFFFFF0UL) return 0x70;
    *info = (struct mechanism_info){256, 256, number == 0x1041 ? 0x2800 : 0x10000};
    return OK;
}

static ulong open_session(ulong slot, ulong flags, void *data, void *notify, ulong *session) {
    (void)data, (void)notify;
    if (flags != 4) note("session with flags %#lx\n", flags);
    was_opened = 1;
    if (is("session-fails")) return DEVICE_ERROR;
    if (is("allocate")) {
        ulong mib = 0;
        for (char *some; mib < 65536 && (some = malloc(1 << 20)) != NULL; mib++) memset(some, 1, 1 << 20);
        note("allocated %lu MiB\n", mib);
        return HOST_MEMORY;
    }
    *session = 100 + slot;
    return OK;
}

static ulong close_session(ulong session) { return session < 100 ? SESSION_INVALID : OK; }

static ulong login(ulong session, ulong user, const byte *pin, ulong length) {
    int device = is("device-login");
    ulong right = device ? pin == NULL : length == 4 && pin != NULL && memcmp(pin, "1234", 4) == 0;
    ulong returned = is("login-fails") ? DEVICE_ERROR : right ? OK : PIN_INCORRECT;
    note("login of user %lu in slot %lu: %#lx\n", user, session - 100, returned);
    misbehave_in("login");
    logged_in = returned == OK;
    return returned;
}

static ulong logout(ulong session) {
    (void)session;
    note("logout\n");
    logged_in = 0;
    return OK;
}

static const struct attribute *attributes_of(ulong handle) {
    if (handle == 0) return NULL;
    if (is("odd-one-out") && handle == 10) return odd_one;
    if (handle <= 5) return objects[handle - 1];
    if (is("handles-change") && handle >= 101 && handle <= 105) return objects[handle - 101];
    return is("million-objects") && handle <= MILLION ? vendors : NULL;
}

static ulong class_of(ulong handle) { return *(const ulong *)attributes_of(handle)->value; }

static int is_to_be_seen(ulong handle) {
    const struct attribute *attributes = attributes_of(handle);
    const ulong none = !is("vendor-types") && !is("million-objects") && handle == 5;
    return !none && (logged_in || is("public-token") || *(const byte *)attributes[2].value == 0);
}

static ulong find_init(ulong session, struct attribute *template, ulong count) {
    (void)session;
    misbehave_in("search");
    if (searching) return 0x90;
    if (count != 1 || template->type != 0) note("a search for something else than a class\n");
    if (is("hides") && !logged_in) return NOT_LOGGED_IN;
    if (is("knows-no-validation") && *(ulong *)template->value == 10) return 0x13;
    search_class = *(ulong *)template->value;
    search_next = 1;
    searching = 1;
    return OK;
}

static ulong find(ulong session, ulong *handles, ulong room, ulong *count) {
    ulong last = is("million-objects") ? MILLION : 5;
    (void)session;
    *count = 0;
    if (is("search-fails")) return DEVICE_ERROR;
    if (is("too-many-handles")) return *count = room + 1, OK;
    if (is("endless-search")) {
        for (ulong i = 0; i < room; i++) handles[i] = search_class < 5 && search_class > 0 ? search_class : 4;
        return *count = room, OK;
    }
    for (; search_next <= last && *count < room; search_next++)
        if (is_to_be_seen(search_next) && (class_of(search_next) == search_class || is("ignores-class")))
            handles[(*count)++] = search_next + (is("handles-change") && logged_in ? 100 : 0);
    return OK;
}

static ulong find_final(ulong session) {
    (void)session;
    searching = 0;
    return OK;
}

static int is_secret(ulong class, ulong type) {
    return (class >= 3 && class <= 4 && type == 0x11) || (type >= 0x123 && type <= 0x128);
}

static ulong fill(struct attribute *wanted, const struct attribute *found) {
    const byte *value = found->value;
    ulong length = found->length, room = wanted->length;
    byte four[4] = {1, 0, 0, 0};
    if (is("wrong-bools") && length == 1 && found->type != 0x102) value = four, length = 4;
    if (is("lengths-beyond")) {
        wanted->length = wanted->value == NULL ? length : room + 1000000;
        return OK;
    }
    if (is("lengths-unset")) {
        if (wanted->value != NULL) memcpy(wanted->value, value, length < room ? length : room);
        else if (found->type != 3) wanted->length = length;
        return OK;
    }
    wanted->length = length;
    if (wanted->value == NULL) return OK;
    if (room < length) return wanted->length = UNAVAILABLE, TOO_SMALL;
    memcpy(wanted->value, value, length);
    return OK;
}

static ulong attribute_value(ulong session, ulong handle, struct attribute *wanted, ulong count) {
    const struct attribute *all = attributes_of(handle);
    ulong returned = OK;
    (void)session;
    if (all == NULL) return OBJECT_INVALID;
    if (handle == 2) misbehave_in("attributes");
    noise();
    for (ulong i = 0; i < count; i++)
        if (is_secret(class_of(handle), wanted[i].type)) note("asked for the secret %#lx\n", wanted[i].type);
    if (is("attributes-fail")) return DEVICE_ERROR;
    if (is("session-lost") && handle == 2) return SESSION_INVALID;
    if (is("deleted") && handle == 2) return OBJECT_INVALID;
    if (is("batch-invalid") && count > 1) return TYPE_INVALID;
    if (is("batch-fails") && count > 1) return FUNCTION_FAILED;
    for (ulong i = 0; i < count; i++) {
        const struct attribute *found = all;
        while (found->length != UNAVAILABLE && found->type != wanted[i].type) found++;
        ulong one = TYPE_INVALID;
        if (is("sensitive") && wanted[i].type == 0x166) one = SENSITIVE, wanted[i].length = UNAVAILABLE;
        else if (is("long-values") && wanted[i].type == 3) {
            static byte long_text[20000];
            memset(long_text, 'x', sizeof long_text);
            struct attribute longer = {3, long_text, handle == 1 ? 20000 : 3000};
            one = fill(&wanted[i], &longer);
        } else if (found->length != UNAVAILABLE) one = fill(&wanted[i], found);
        else wanted[i].length = UNAVAILABLE;
        if (one != OK) returned = one;
        if (one != OK && is("stops-early")) return returned;
    }
    return returned;
}

/* All other functions use or change something. */

static ulong forbidden(void) {
    note("a forbidden call\n");
    return NOT_SUPPORTED;
}

static ulong function_list(struct functions **list);

/* By their places in the list (PKCS #11 v2.40, 3.6). */
static struct functions table = {{2, 40}, {
    [0] = (function)initialize, [1] = (function)finalize, [2] = (function)get_info,
    [3] = (function)function_list, [4] = (function)slot_list, [5] = (function)slot_info,
    [6] = (function)token_info, [7] = (function)mechanism_list, [8] = (function)mechanism_info,
    [9] = (function)forbidden, [10] = (function)forbidden, [11] = (function)forbidden,
    [12] = (function)open_session, [13] = (function)close_session, [14] = (function)forbidden,
    [15] = (function)forbidden, [16] = (function)forbidden, [17] = (function)forbidden,
    [18] = (function)login, [19] = (function)logout, [20] = (function)forbidden,
    [21] = (function)forbidden, [22] = (function)forbidden, [23] = (function)forbidden,
    [24] = (function)attribute_value, [25] = (function)forbidden, [26] = (function)find_init,
    [27] = (function)find, [28] = (function)find_final, [29 ... 67] = (function)forbidden,
}};

static ulong function_list(struct functions **list) {
    if (is("no-functions")) return *list = NULL, OK;
    if (is("list-fails")) return GENERAL_ERROR;
    if (is("version-1")) table.version = (struct version){1, 0};
    if (is("null-functions")) table.call[24] = NULL;
    if (is("no-login-function")) table.call[18] = NULL;
    return *list = &table, OK;
}

PUBLIC ulong C_GetFunctionList(struct functions **list) { return function_list(list); }

PUBLIC ulong C_GetInterface(const char *name, struct version *version, struct interface **found, ulong flags) {
    static struct interface interface = {"PKCS 11", &table, 0};
    (void)version, (void)flags;
    if (!is("version-3") || name == NULL || strcmp(name, "PKCS 11") != 0) return FUNCTION_FAILED;
    table.version = (struct version){3, 2};
    note("interface of version 3.2\n");
    return *found = &interface, OK;
}
