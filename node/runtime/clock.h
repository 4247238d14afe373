/* The clocks that the engine is told. */
#ifndef CONSILIUM_NODE_RUNTIME_CLOCK_H
#define CONSILIUM_NODE_RUNTIME_CLOCK_H

#include "protocol/base/ids.h"

struct wall clock_wall(void);
/* Never goes back. */
struct mono clock_mono(void);

#endif
