/* `found` and `officers`: founds a federation, and replaces its officers. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_FOUND_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_FOUND_H

#include "bootstrap/society/society_options.h"

/* Commands: exit statuses. */
int society_found_federation(const struct society_options *options);
int society_found_officers(const struct society_options *options);

#endif
