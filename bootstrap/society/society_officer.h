/* `officer init` and `sign`, with the officer's own folder:
 *
 *   officer.key      the secret key under a passphrase
 *   officer.public   name and public key, for the society
 *   signed           the last head that this key signed; another one at its epoch is refused */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_OFFICER_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_OFFICER_H

#include "bootstrap/society/society_options.h"

/* Commands: exit statuses. */
int society_officer_init(const struct society_options *options);
int society_officer_sign(const struct society_options *options);

#endif
