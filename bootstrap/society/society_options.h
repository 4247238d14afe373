/* What the command line gave, as society_main.c read it. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_OPTIONS_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/directory/society_key.h"
#include "protocol/base/limits.h"

enum { SOCIETY_MANY_MAX = 64 };

/* Texts borrow from argv. A text that was not given is NULL, a list empty, a number its default or,
 * where `..._given` says so, meaningless. */
struct society_options {
    const char *society;          /* directory; "." */
    struct society_key_owner own; /* an officer's or publisher's own key; `own.name` is --name */
    const char *fingerprint;
    const char *successor;
    const char *output;
    const char *federation;
    const char *officers[SOCIETY_MANY_MAX]; /* public keys or files that hold one */
    uint32_t officer_count;
    const char *boards[SOCIETY_MANY_MAX]; /* TAG=NAME, or TAG */
    uint32_t board_count;
    const char *cuts[SOCIETY_MANY_MAX]; /* report files */
    uint32_t cut_count;
    uint64_t threshold; /* 0: not given */
    uint64_t valid_days;
    uint64_t cooling_off_hours;
    bool cooling_off_given;
    uint64_t announcement_days; /* 0: not given */
    uint64_t participants;      /* 0: not given */
    uint64_t generations;       /* 0: not given */
    uint64_t wait_seconds;      /* publish */
    const char *custody;        /* "yes", "no" or NULL */
    bool yes;
    bool json;
    bool replace;
    bool allow_look_alike;
    const char *arguments[4];
    uint32_t argument_count;
};

#endif
