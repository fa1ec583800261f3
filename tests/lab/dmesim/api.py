"""The resources below /V2.0. A handler takes the call and returns a Reply, or raises ApiError for the
application's 400.
"""

import json
import re

from .reply import ApiError, Reply, application_error, compact, empty_reply, html_error, json_reply, not_found
from .store import duplicate_text

BASE = "/V2.0"


class Missing(Exception):
    """Becomes the 404 page; the text goes to the log only."""


class Call:
    """One authenticated request on its way to a handler; `note` ends up in the log entry."""

    def __init__(self, app, request, account, note):
        self.store = app.store
        self.settings = app.settings
        self.request = request
        self.account = account
        self.note = note

    def query(self, name):
        """First value of a query parameter, or None."""
        return next((value for key, value in self.request.query if key == name), None)

    def body(self):
        try:
            return json.loads(self.request.body.decode("utf-8"))
        except ValueError:
            raise ApiError("Unable to parse the request body.") from None

    def zone(self, zone_id):
        zone = self.account.zones.get(int(zone_id))
        if not zone:
            raise Missing(f"zone id {zone_id}")
        return zone

    def record(self, zone, record_id):
        """Template records belong to the template: through the zone they cannot be changed."""
        record = zone.records.get(int(record_id))
        if not record or record.source != 1:
            raise Missing(f"record id {record_id}")
        return record

    def base_url(self):
        scheme = "https" if self.request.tls else "http"
        return f"{scheme}://{self.request.headers.get('host', 'api.dnsmadeeasy.com')}{BASE}"


def page_of(call, items):
    """(items of the wanted page, total pages, page number). Without rows= everything is one page."""

    def number(name, default):
        text = call.query(name)
        return int(text) if text and text.isdigit() else default

    base = call.settings.page_base
    rows = number("rows", call.settings.page_size)
    if rows <= 0:
        return items, 1, 0
    page = number("page", base)
    start = max(0, page - base) * rows
    return items[start : start + rows], max(1, -(-len(items) // rows)), page


def listing(call, items, text_of):
    shown, pages, page = page_of(call, items)
    data = ",".join(text_of(item) for item in shown)
    return json_reply(f'{{"totalPages":{pages},"totalRecords":{len(items)},"data":[{data}],"page":{page}}}')


# ---- zones


def list_zones(call):
    zones = sorted(call.account.zones.values(), key=lambda zone: zone.name)
    if not zones and call.settings.empty_account_object:
        return json_reply("{}")
    return listing(call, zones, lambda zone: zone.brief())


def create_zones(call):
    fields = call.body()
    if not isinstance(fields, dict):
        raise ApiError("Invalid domain.")
    names = fields.get("names") or [fields.get("name")]
    if not all(
        isinstance(name, str) and re.fullmatch(r"([A-Za-z0-9_-]+\.)+[A-Za-z0-9-]+", name) for name in names
    ):
        raise ApiError("Invalid domain name.")
    if any(call.store.find_zone_by_name(name) for name in names):
        raise ApiError("Domain name conflicts with existing zones.")
    zones = [call.store.add_zone(call.account, name) for name in names]
    for zone in zones:
        call.store.start_pending(zone, 1)
    if "names" in fields:
        return json_reply(compact([zone.id for zone in zones]), 201)
    return json_reply(
        zones[0].full(call.store.servers), 201, [("Location", f"{call.base_url()}/dns/managed/{zones[0].id}")]
    )


def update_zones(call):
    fields = call.body()
    ids = fields.get("ids") if isinstance(fields, dict) else None
    if not ids or any(zone_id not in call.account.zones for zone_id in ids):
        raise ApiError("Invalid domain IDs specified.")
    return empty_reply()


def delete_all_zones(call):
    """Really deletes all domains of the account: that is what the service does."""
    zones = list(call.account.zones.values())
    call.note.update(wiped=True, deleted_zones=[zone.name for zone in zones])
    for zone in zones:
        call.store.remove_zone(zone)
    return empty_reply()


def zone_by_name(call, name=None):
    name = call.query("domainname") if name is None else name
    zone = call.store.find_zone_by_name(name, call.account) if name else None
    if not zone:
        raise Missing(f"zone {name}")
    return json_reply(zone.full(call.store.servers))


def zone_by_id(call, zone_id):
    return json_reply(call.zone(zone_id).full(call.store.servers))


def update_zone(call, zone_id):
    zone = call.zone(zone_id)
    fields = call.body()
    if not isinstance(fields, dict):
        raise ApiError("Invalid domain.")
    zone.gtd = bool(fields.get("gtdEnabled", zone.gtd))
    zone.folder = fields.get("folderId", zone.folder)
    zone.vanity_id = fields.get("vanityId", zone.vanity_id)
    return empty_reply()


def delete_zone(call, zone_id):
    zone = call.zone(zone_id)
    if zone.pending:
        raise ApiError("Cannot delete a domain that is pending a create or delete action.")
    call.store.start_pending(zone, 3)
    return empty_reply()


# ---- records


def list_records(call, zone_id):
    zone = call.zone(zone_id)
    found = zone.select(call.query("recordName"), call.query("type"), call.settings)
    return listing(call, found, lambda record: record.text)


def create_record(call, zone_id):
    zone = call.zone(zone_id)
    record = call.store.build(zone, call.body())
    if zone.twin(record):
        raise ApiError(duplicate_text(record))
    call.store.commit(zone, [record])
    location = f"{call.base_url()}/dns/managed/{zone.id}/records/{record.id}"
    return json_reply(record.text, 201, [("Location", location)])


def create_records(call, zone_id):
    """All or none."""
    zone = call.zone(zone_id)
    items = call.body()
    if not isinstance(items, list) or not items:
        raise ApiError("Invalid records.")
    if len(items) > call.settings.max_batch:
        raise ApiError(f"No more than {call.settings.max_batch} records may be created at once.")
    records, seen = [], set()
    for fields in items:
        record = call.store.build(zone, fields)
        if zone.twin(record) or record.identity() in seen:
            raise ApiError(
                f'Duplicate name and value match detected for record "{record.name} {record.value}" '
                f'with domain "{zone.name}".'
            )
        seen.add(record.identity())
        records.append(record)
    call.store.commit(zone, records)
    return json_reply("[" + ",".join(record.text for record in records) + "]", 201)


def update_record(call, zone_id, record_id):
    zone = call.zone(zone_id)
    record = call.record(zone, record_id)
    call.store.replace(zone, record, call.body())
    return empty_reply()


def update_records(call, zone_id):
    """Every record is checked before the first is changed, so that an error leaves the zone as it was (our
    choice).
    """
    zone = call.zone(zone_id)
    items = call.body()
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and str(item.get("id", "")).isdigit() for item in items
    ):
        raise ApiError("Invalid records.")
    pairs = [(call.record(zone, item["id"]), item) for item in items]
    for record, fields in pairs:
        call.store.build(
            zone,
            {"type": record.type, "name": record.name, "value": record.value, "ttl": record.ttl, **fields},
        )
    for record, fields in pairs:
        call.store.replace(zone, record, fields)
    return empty_reply()


def get_record(call, zone_id, record_id):
    zone = call.zone(zone_id)
    if not call.settings.single_record_get or int(record_id) not in zone.records:
        raise Missing(f"record id {record_id}")
    return json_reply(zone.records[int(record_id)].text)


def delete_record(call, zone_id, record_id):
    zone = call.zone(zone_id)
    record = call.record(zone, record_id)
    call.note["deleted"] = [record.id]
    call.store.remove(zone, [record])
    return empty_reply()


def delete_records(call, zone_id):
    """`?ids=1&ids=2`, `?ids=1,2`; unknown ids are ignored. No ids at all (or only empty ones, or ids in the
    body): the whole zone.
    """
    zone = call.zone(zone_id)
    ids = [
        part.strip()
        for name, value in call.request.query
        if name == "ids"
        for part in value.split(",")
        if part.strip()
    ]
    if not all(record_id.isdigit() for record_id in ids):
        raise Missing("ids that are no numbers")
    if ids:
        chosen = [
            zone.records[int(record_id)] for record_id in dict.fromkeys(ids) if int(record_id) in zone.records
        ]
    else:
        call.note["wiped"] = True
        chosen = list(zone.records.values())
    chosen = [record for record in chosen if record.source == 1]
    call.note["deleted"] = [record.id for record in chosen]
    call.store.remove(zone, chosen)
    return empty_reply()


ROUTES = [
    (re.compile(pattern), methods)
    for pattern, methods in (
        (
            r"/dns/managed",
            {"GET": list_zones, "POST": create_zones, "PUT": update_zones, "DELETE": delete_all_zones},
        ),
        (r"/dns/managed/name", {"GET": zone_by_name}),
        (r"/dns/managed/id/([^/]+)", {"GET": zone_by_name}),
        (r"/dns/managed/(\d+)", {"GET": zone_by_id, "PUT": update_zone, "DELETE": delete_zone}),
        (
            r"/dns/managed/(\d+)/records",
            {"GET": list_records, "POST": create_record, "DELETE": delete_records},
        ),
        (r"/dns/managed/(\d+)/records/createMulti", {"POST": create_records}),
        (r"/dns/managed/(\d+)/records/updateMulti", {"PUT": update_records}),
        (
            r"/dns/managed/(\d+)/records/(\d+)",
            {"GET": get_record, "PUT": update_record, "DELETE": delete_record},
        ),
    )
]


def accepts_json(accept):
    return not accept or "json" in accept or "*/*" in accept or "application/*" in accept


def route(call):
    """The answer to an authenticated request."""
    path = re.sub("/+", "/", call.request.path).rstrip("/")
    if not path.startswith(BASE + "/"):
        return not_found(call.settings, "path outside of /V2.0")
    for pattern, methods in ROUTES:
        match = pattern.fullmatch(path[len(BASE) :])
        if match:
            method = "GET" if call.request.method == "HEAD" else call.request.method
            if method not in methods:
                return html_error(405, "method not allowed", [("Allow", ", ".join(methods))])
            if not accepts_json(call.request.headers.get("accept", "")):
                return html_error(406, "this simulator answers in JSON only")
            return run(methods[method], call, match.groups())
    return not_found(call.settings, "no such resource")


def run(handler, call, arguments):
    try:
        reply = handler(call, *arguments)
    except ApiError as error:
        return application_error(str(error))
    except Missing as error:
        return not_found(call.settings, f"not found: {error}")
    if call.settings.empty_body and call.request.method == "GET":
        return Reply(reply.status)
    return reply
