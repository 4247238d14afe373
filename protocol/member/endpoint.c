#include "protocol/member/endpoint.h"

#include <string.h>

#include "protocol/base/limits.h"

static const char endpoint_scheme[] = "tcp://";

static bool endpoint_is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool endpoint_is_name(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-';
}

static bool endpoint_host_fits(struct bytes host)
{
    bool v6 = host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
    size_t first = v6 ? 1 : 0;
    size_t end = v6 ? host.size - 1 : host.size;
    for (size_t i = first; i < end; i++) {
        uint8_t c = host.data[i];
        if (v6 ? !endpoint_is_hex(c) && c != ':' && c != '.' : !endpoint_is_name(c))
            return false;
    }
    return end > first;
}

static bool endpoint_port_fits(struct bytes port)
{
    uint32_t value = 0;
    if (port.size == 0 || port.size > 5 || port.data[0] == '0')
        return false;
    for (size_t i = 0; i < port.size; i++) {
        if (port.data[i] < '0' || port.data[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(port.data[i] - '0');
    }
    return value <= UINT16_MAX;
}

err endpoint_check(struct bytes endpoint)
{
    const size_t scheme = sizeof endpoint_scheme - 1;
    if (endpoint.size > ENDPOINT_SIZE_MAX)
        return ERR_TOO_LARGE;
    if (endpoint.size <= scheme || memcmp(endpoint.data, endpoint_scheme, scheme) != 0)
        return ERR_MALFORMED;
    size_t colon = endpoint.size;
    while (colon > scheme && endpoint.data[colon - 1] != ':')
        colon--;
    if (colon == scheme)
        return ERR_MALFORMED;
    struct bytes host = {endpoint.data + scheme, colon - 1 - scheme};
    struct bytes port = {endpoint.data + colon, endpoint.size - colon};
    return endpoint_host_fits(host) && endpoint_port_fits(port) ? OK : ERR_MALFORMED;
}
