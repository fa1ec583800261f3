/* SPDX-License-Identifier: MIT */
#include "dns_message.h"

#include <stdlib.h>
#include <string.h>

void message_put(struct message *m, const void *data, size_t len)
{
    if (len > sizeof m->data - m->len)
        abort();
    if (len)
        memcpy(m->data + m->len, data, len);
    m->len += len;
}

void message_put_u16(struct message *m, unsigned value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    message_put(m, bytes, 2);
}

void message_put_u32(struct message *m, uint32_t value)
{
    message_put_u16(m, value >> 16);
    message_put_u16(m, value & 0xffff);
}

void message_put_name(struct message *m, const char *name)
{
    while (*name) {
        size_t len = strcspn(name, ".");
        uint8_t byte = (uint8_t)len;

        message_put(m, &byte, 1);
        message_put(m, name, len);
        name += len + (name[len] == '.' ? 1 : 0);
    }
    message_put(m, "", 1);
}

void message_count(struct message *m, enum message_section section, unsigned count)
{
    size_t at = 4 + 2 * (size_t)section;

    m->data[at] = (uint8_t)(count >> 8);
    m->data[at + 1] = (uint8_t)count;
}

static void count_one_more(struct message *m, size_t at)
{
    if (++m->data[at + 1] == 0)
        m->data[at]++;
}

void message_begin(struct message *m, uint16_t id, unsigned flags)
{
    m->len = 0;
    message_put_u16(m, id);
    message_put_u16(m, flags);
    for (int i = 0; i < 4; i++)
        message_put_u16(m, 0);
}

void message_question(struct message *m, const char *name, uint16_t type)
{
    message_put_name(m, name);
    message_put_u16(m, type);
    message_put_u16(m, 1);
    count_one_more(m, 4);
}

void message_rr(struct message *m, enum message_section section, const char *owner, uint16_t type, uint32_t ttl_s,
                const void *rdata, size_t len)
{
    message_put_name(m, owner);
    message_put_u16(m, type);
    message_put_u16(m, 1);
    message_put_u32(m, ttl_s);
    message_put_u16(m, (unsigned)len);
    message_put(m, rdata, len);
    count_one_more(m, 4 + 2 * (size_t)section);
}

void message_rr_name(struct message *m, enum message_section section, const char *owner, uint16_t type,
                     const char *target)
{
    static struct message rdata;

    rdata.len = 0;
    message_put_name(&rdata, target);
    message_rr(m, section, owner, type, 300, rdata.data, rdata.len);
}

void message_rr_txt(struct message *m, const char *owner, uint32_t ttl_s, const char *value)
{
    uint8_t rdata[256];
    size_t len = strlen(value);

    if (len > 255)
        abort();
    rdata[0] = (uint8_t)len;
    memcpy(rdata + 1, value, len);
    message_rr(m, MESSAGE_ANSWER, owner, 16, ttl_s, rdata, len + 1);
}

void message_rr_soa(struct message *m, enum message_section section, const char *owner, uint32_t ttl_s,
                    uint32_t minimum_s)
{
    static struct message rdata;

    rdata.len = 0;
    message_put_name(&rdata, "Ns1.example.net");
    message_put_name(&rdata, "hostmaster.example.net");
    message_put_u32(&rdata, 2024010101);
    message_put_u32(&rdata, 3600);
    message_put_u32(&rdata, 600);
    message_put_u32(&rdata, 86400);
    message_put_u32(&rdata, minimum_s);
    message_rr(m, section, owner, 6, ttl_s, rdata.data, rdata.len);
}

void message_opt(struct message *m, uint32_t ttl)
{
    message_put_name(m, "");
    message_put_u16(m, 41);
    message_put_u16(m, 1232);
    message_put_u32(m, ttl);
    message_put_u16(m, 0);
    count_one_more(m, 10);
}
