"""Reads what `seedbed run --otlp --perfetto --log` wrote with the message types of others.

    exports.py SPANS.json TRACE.pftrace EVENTS.jsonl

The OTLP file is read by protobuf's own JSON mapping. That one takes bytes as base64, and OTLP writes
ids in hexadecimal (its only difference), so ids are converted first, as the specification says. The
Perfetto file is read with the types of the package `perfetto`, and its slices, tracks and flows are
counted against the event log. Nothing here may be lenient: whatever is not as it must be ends it.
"""

import base64
import collections
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as perfetto


def must(holds, what):
    if not holds:
        sys.exit(f"exports.py: {what}")


def reference(value):
    """The same JSON with ids as protobuf's own mapping has them."""
    if isinstance(value, list):
        return [reference(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {}
    for key, item in value.items():
        if key in ("traceId", "spanId", "parentSpanId") and item:
            must(item == item.lower(), f"{key} {item} is not lower-case")
            changed[key] = base64.b64encode(bytes.fromhex(item)).decode()
        elif key in ("startTimeUnixNano", "endTimeUnixNano", "intValue"):
            must(isinstance(item, str), f"{key} {item!r} is not a string")
            changed[key] = item
        else:
            changed[key] = reference(item)
    return changed


def attributes(span):
    return {pair.key: pair.value for pair in span.attributes}


def check_otlp(path, events):
    with open(path, encoding="utf-8") as file:
        written = json.load(file)
    request = json_format.ParseDict(
        reference(written), ExportTraceServiceRequest(), ignore_unknown_fields=True
    )
    spans, nodes = {}, {}
    for resource in request.resource_spans:
        names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        must(names.get("service.name"), "a resource without service.name")
        for scope in resource.scope_spans:
            for span in scope.spans:
                must(len(span.trace_id) == 16 and len(span.span_id) == 8, f"ids of {span.name}")
                must(span.start_time_unix_nano <= span.end_time_unix_nano, f"times of {span.name}")
                must((span.trace_id, span.span_id) not in spans, f"{span.name} is there twice")
                spans[span.trace_id, span.span_id] = span
                nodes[span.trace_id, span.span_id] = names["service.name"]
    must(spans, "no span")
    kinds = collections.Counter()
    for key, span in spans.items():
        known = attributes(span)
        is_error = span.status.code == trace_pb2.Status.STATUS_CODE_ERROR
        must(is_error == ("error.type" in known), f"status and error.type of {span.name}")
        if span.parent_span_id:
            parent = spans.get((span.trace_id, span.parent_span_id))
            must(parent, f"{span.name} has no parent")
            must(parent.start_time_unix_nano <= span.start_time_unix_nano, f"{span.name} is early")
            if nodes[key] == nodes[span.trace_id, span.parent_span_id]:
                must(span.end_time_unix_nano <= parent.end_time_unix_nano, f"{span.name} is late")
        for link in span.links:
            must((link.trace_id, link.span_id) in spans, f"{span.name} is linked to nothing")
        if span.name.startswith("chat "):
            must(known["gen_ai.operation.name"].string_value == "chat", f"{span.name}")
            must(known["gen_ai.provider.name"].string_value, f"{span.name} of no provider")
            must("gen_ai.system" not in known, "gen_ai.system is the old name")
            must(span.name == "chat " + known["gen_ai.request.model"].string_value, span.name)
        kinds[span.kind, span.name.split(" ")[0].split(".")[0]] += 1
    client, server = trace_pb2.Span.SPAN_KIND_CLIENT, trace_pb2.Span.SPAN_KIND_SERVER
    internal = trace_pb2.Span.SPAN_KIND_INTERNAL
    logged = collections.Counter(event["kind"] for event in events)
    must(kinds[internal, "invoke_agent"] == logged["request_started"], f"requests: {kinds}")
    must(kinds[client, "chat"] == logged["attempt_started"], f"attempts: {kinds}")
    sent = (event["fields"] for event in events if event["kind"] == "message_sent")
    calls = sum(1 for it in sent if it["carries"] == "call" and it["from"] != it["to"])
    made = sum(count for (kind, _), count in kinds.items() if kind == client)
    must(made == calls, f"{made} spans of calls, {calls} calls")
    retries = sum(1 for span in spans.values() if span.kind == client and span.links)
    if logged["attempt_started"]:
        must(kinds[server, "chat"] > 0 and kinds[server, "ccr"] > 0, f"servers: {kinds}")
        must(retries > 0, "no attempt is linked to the one before")
    print(f"otlp: {len(spans)} spans of {len(request.resource_spans)} nodes, {retries} links")
    return len(spans)


def check_perfetto(path, events, span_count):
    trace = perfetto.Trace()
    with open(path, "rb") as file:
        trace.ParseFromString(file.read())
    tracks, processes = {}, set()
    slices, flows, ends = collections.Counter(), collections.Counter(), collections.Counter()
    depth, instants, counters, last = collections.Counter(), collections.Counter(), 0, 0
    begin, end = perfetto.TrackEvent.TYPE_SLICE_BEGIN, perfetto.TrackEvent.TYPE_SLICE_END
    for packet in trace.packet:
        must(packet.trusted_packet_sequence_id == 1, "a packet of no sequence")
        if packet.HasField("track_descriptor"):
            track = packet.track_descriptor
            must(track.uuid not in tracks, f"track {track.uuid} is there twice")
            must(not track.parent_uuid or track.parent_uuid in tracks, "a track without its parent")
            tracks[track.uuid] = track
            if track.HasField("process"):
                processes.add(track.process.process_name)
        elif packet.HasField("track_event"):
            event = packet.track_event
            must(event.track_uuid in tracks, "an event on no track")
            must(packet.timestamp >= last, "time goes back")
            last = packet.timestamp
            if event.type == begin:
                depth[event.track_uuid] += 1
                must(depth[event.track_uuid] == 1, "two slices at once on a track")
                slices[event.categories[0]] += 1
            elif event.type == end:
                depth[event.track_uuid] -= 1
                must(depth[event.track_uuid] == 0, "a slice ends that did not begin")
            elif event.type == perfetto.TrackEvent.TYPE_COUNTER:
                counters += 1
            else:
                instants[event.categories[0]] += 1
                flows.update(event.flow_ids)
                ends.update(event.terminating_flow_ids)
    must(not any(depth.values()), "a slice does not end")
    logged = collections.Counter(event["kind"] for event in events)
    for kind in ("message_sent", "message_delivered", "message_dropped", "message_duplicated"):
        must(instants[kind] == logged[kind], f"{instants[kind]} {kind}, {logged[kind]} in the log")
    must(sum(flows.values()) == logged["message_sent"], "flows that begin")
    must(sum(ends.values()) == logged["message_delivered"], "flows that end")
    must(set(ends) <= set(flows), "a flow ends that did not begin")
    must(slices["fault"] == logged["fault_fired"], "slices of faults")
    must(slices["span"] == span_count, f"{slices['span']} slices, {span_count} spans")
    must(counters == logged["request_started"] + logged["request_ended"], "the counter")
    # Whatever only starts and then does nothing is no process.
    nodes = {event["node"] for event in events if event["kind"].startswith(("node_", "message_"))}
    must(nodes <= processes, f"no process for {nodes - processes}")
    print(f"perfetto: {sum(slices.values())} slices, {len(tracks)} tracks, {len(flows)} flows")


def main():
    spans, trace, log = sys.argv[1:]
    with open(log, encoding="utf-8") as file:
        events = [json.loads(line) for line in file][1:]
    check_perfetto(trace, events, check_otlp(spans, events))


main()
