#include "node/os/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool address_port(const char *text, uint16_t *ret_port)
{
    uint32_t port = 0;
    size_t size = strlen(text);
    if (size == 0 || size > 5)
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9')
            return false;
        port = port * 10 + (uint32_t)(*c - '0');
    }
    if (port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* RFC 1123 letters, and the underscore that many networks use. */
static bool address_name(const char *host)
{
    if (host[0] == '.' || host[0] == '-')
        return false;
    for (const char *c = host; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        bool digit = *c >= '0' && *c <= '9';
        if (!letter && !digit && *c != '-' && *c != '.' && *c != '_')
            return false;
    }
    return host[0] != '\0';
}

/* What is only digits and dots is an address, or nothing. */
static bool address_host(const char *host, bool bracketed, struct address *address)
{
    uint8_t raw[sizeof(struct in6_addr)];
    if (bracketed) {
        address->literal = address->v6 = inet_pton(AF_INET6, host, raw) == 1;
        return address->v6;
    }
    if (strcmp(host, "*") == 0) {
        address->any = address->literal = true;
        return true;
    }
    if (strspn(host, "0123456789.") == strlen(host)) {
        address->literal = inet_pton(AF_INET, host, raw) == 1;
        return address->literal;
    }
    return address_name(host);
}

err address_parse(struct bytes text, struct address *ret_address)
{
    static const char scheme[] = "tcp://";
    char copy[ENDPOINT_SIZE_MAX + 1];
    struct address address = {.port = 0};
    if (text.size > ENDPOINT_SIZE_MAX)
        return ERR_TOO_LARGE;
    if (text.size == 0 || memchr(text.data, 0, text.size) != NULL)
        return ERR_MALFORMED;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (strncmp(copy, scheme, strlen(scheme)) != 0)
        return ERR_MALFORMED;
    char *host = copy + strlen(scheme);
    char *colon = strrchr(host, ':');
    if (colon == NULL || colon == host || !address_port(colon + 1, &address.port))
        return ERR_MALFORMED;
    *colon = '\0';
    bool bracketed = host[0] == '[' && colon[-1] == ']';
    if (bracketed) {
        colon[-1] = '\0';
        host++;
    }
    if (!address_host(host, bracketed, &address))
        return ERR_MALFORMED;
    memcpy(address.host, host, strlen(host) + 1);
    *ret_address = address;
    return OK;
}

bool address_dialable(const struct address *address)
{
    return address->port != 0 && !address->any;
}

void address_format(const struct address *address, char ret_text[static ADDRESS_TEXT_MAX])
{
    const char *before = address->v6 ? "[" : "";
    const char *after = address->v6 ? "]" : "";
    (void)snprintf(ret_text, ADDRESS_TEXT_MAX, "tcp://%s%s%s:%u", before, address->host, after,
                   (unsigned)address->port);
}
