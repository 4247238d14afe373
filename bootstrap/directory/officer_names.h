/* What the officers are called: DIRECTORY/names, lines of a public key and a name.
 *
 * Heads name keys alone; this file is for people, is signed by nobody and proves nothing. It is
 * filled from the files that officers mail, and again by each who signs. */
#ifndef CONSILIUM_BOOTSTRAP_DIRECTORY_OFFICER_NAMES_H
#define CONSILIUM_BOOTSTRAP_DIRECTORY_OFFICER_NAMES_H

#include "bootstrap/directory/society_directory.h"

enum { OFFICER_NAME_SIZE = 201 };

/* Notes it, instead of an older one. `name` may be empty: nothing is noted. A file that cannot be
 * written is warned of, no more. */
void officer_names_note(const struct society *society, const struct sign_key *key,
                        const char *name);

/* The name noted, fit for a terminal; else the first digits of the key. */
void officer_names_find(const struct society *society, const struct sign_key *key,
                        char ret_name[static OFFICER_NAME_SIZE]);

#endif
