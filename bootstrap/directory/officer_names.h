/* The names of the officers: DIRECTORY/names, lines of a public key and a name.
 *
 * Heads contain keys only. This file is for display, is not signed and proves nothing. Names come
 * from the files that officers mail, and from each officer who signs. */
#ifndef CONSILIUM_BOOTSTRAP_DIRECTORY_OFFICER_NAMES_H
#define CONSILIUM_BOOTSTRAP_DIRECTORY_OFFICER_NAMES_H

#include "bootstrap/directory/society_directory.h"

enum { OFFICER_NAME_SIZE = 201 };

/* Stores the name, instead of an older one. An empty `name` is not stored. A file that cannot be
 * written gives a warning only. */
void officer_names_note(const struct society *society, const struct sign_key *key,
                        const char *name);

/* The stored name, without anything that controls a terminal; else the first digits of the key. */
void officer_names_find(const struct society *society, const struct sign_key *key,
                        char ret_name[static OFFICER_NAME_SIZE]);

#endif
