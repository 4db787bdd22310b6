import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** One plugin with its settings, and the items it is given in order. */
final class Case {
    private static final int DECODE = 0;
    private static final int ENCODE = 1;
    private static final int DECODE_HEADER = 2;
    private static final int ENCODE_HEADER = 3;
    private static final int TRANSFORM = 4;
    private static final int PREDICATE = 5;
    private static final int RECODE = 6;
    private static final int CHAIN = 7;

    private static final int KEY = 1;

    /** What a plugin makes of one item; the answer is written only when there is a writer. */
    private interface Step {
        Object apply(Object item);
    }

    private record Payload(String name, byte[] bytes) {
    }

    private record Typed(String name, SchemaAndValue value) {
    }

    /** Bytes, and the registry whose schema they name, if there is one. */
    private record Bytes(byte[] bytes, RegistryConverter registry) {
    }

    private final int kind;
    private final String className;
    private final Map<String, String> settings;
    private final boolean isKey;
    private final String topic;
    private final List<String> schemas;
    private final List<Object> items;

    private Case(
        int kind, String className, Map<String, String> settings, boolean isKey, String topic, List<String> schemas,
        List<Object> items
    ) {
        this.kind = kind;
        this.className = className;
        this.settings = settings;
        this.isKey = isKey;
        this.topic = topic;
        this.schemas = schemas;
        this.items = items;
    }

    static Case read(WireReader in) {
        in.forgetSchemas();
        int kind = in.u8();
        String className = in.text();
        // The only maps it meets as a header are those it read, and they keep their order. In binary formats of a
        // registry the order of entries has no meaning.
        in.keepOrder(
            RegistryConverter.isBinary(className)
                || kind == ENCODE_HEADER && className.endsWith(".SimpleHeaderConverter"));
        Map<String, String> settings = new LinkedHashMap<>();
        int count = in.i32();
        for (int at = 0; at < count; at++) {
            settings.put(in.text(), in.text());
        }
        int role = in.u8();
        String topic = in.text();
        count = in.i32();
        List<String> schemas = new ArrayList<>(count);
        for (int at = 0; at < count; at++) {
            schemas.add(in.text());
        }
        count = in.i32();
        List<Object> items = new ArrayList<>(count);
        for (int at = 0; at < count; at++) {
            items.add(switch (kind) {
                case DECODE, DECODE_HEADER, RECODE -> new Payload(in.text(), in.bytes());
                case ENCODE, ENCODE_HEADER -> new Typed(in.text(), in.typed());
                case TRANSFORM, PREDICATE, CHAIN -> in.record();
                default -> throw new IllegalArgumentException("unknown kind of case " + kind);
            });
        }
        return new Case(kind, className, settings, role == KEY, topic, schemas, items);
    }

    /** Runs every item once and writes the answers. */
    void answer(WireWriter out) {
        out.forgetSchemas();
        Step step;
        try {
            step = step();
        } catch (Throwable failure) {
            out.u8(WireWriter.NOT_CONFIGURED);
            out.failure(failure);
            return;
        }
        out.u8(WireWriter.CONFIGURED);
        out.i32(items.size());
        for (Object item : items) {
            Object result;
            try {
                result = step.apply(item);
            } catch (Throwable failure) {
                out.failed(failure);
                continue;
            }
            try {
                out.allOrNothing(() -> write(out, result));
            } catch (OutOfMemoryError full) {
                out.failed(full);
            }
        }
    }

    private static void write(WireWriter out, Object result) {
        if (result == null) {
            out.u8(WireWriter.NOTHING);
        } else if (result instanceof SchemaAndValue typed) {
            out.u8(WireWriter.TYPED);
            out.typed(typed.schema(), typed.value());
        } else if (result instanceof Bytes payload && payload.registry() != null && payload.bytes() != null) {
            out.u8(WireWriter.REGISTERED);
            out.text(payload.registry().schemaOf(payload.bytes()));
            out.bytes(RegistryConverter.bodyOf(payload.bytes()));
        } else if (result instanceof Bytes bytes) {
            out.u8(WireWriter.BYTES);
            out.bytes(bytes.bytes());
        } else if (result instanceof Boolean truth) {
            out.u8(WireWriter.TRUTH);
            out.u8(truth ? 1 : 0);
        } else {
            out.u8(WireWriter.RECORD);
            out.record((ConnectRecord<?>) result);
        }
    }

    /** Runs all items again and again for that much CPU time; returns how many were done, failed ones, too. */
    long repeat(int durationMs) {
        Step step = newStep();
        long done = 0;
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long end = threads.getCurrentThreadCpuTime() + durationMs * 1_000_000L;
        while (threads.getCurrentThreadCpuTime() < end) {
            for (Object item : items) {
                try {
                    sink = step.apply(item);
                } catch (RuntimeException expected) {
                    sink = expected;
                }
            }
            done += items.size();
        }
        return done;
    }

    /** Results go here, so that no work can be optimised away. */
    static volatile Object sink;

    private Step newStep() {
        try {
            return step();
        } catch (ReflectiveOperationException err) {
            throw new IllegalArgumentException(err);
        }
    }

    private Step step() throws ReflectiveOperationException {
        if (kind == CHAIN) {
            return chain();
        }
        Object plugin = RegistryConverter.isOne(className)
            ? RegistryConverter.of(className, schemas)
            : Class.forName(className).getDeclaredConstructor().newInstance();
        return switch (kind) {
            case DECODE -> decoder(configured((Converter) plugin));
            case ENCODE -> encoder(configured((Converter) plugin));
            case RECODE -> {
                Converter converter = configured((Converter) plugin);
                Step decode = decoder(converter);
                Step encode = encoder(converter);
                yield item -> encode.apply(new Typed(null, (SchemaAndValue) decode.apply(item)));
            }
            case DECODE_HEADER -> {
                HeaderConverter converter = configured((HeaderConverter) plugin);
                yield item -> {
                    Payload payload = (Payload) item;
                    SchemaAndValue value = converter.toConnectHeader(topic, payload.name(), payload.bytes());
                    // As ConnectHeaders does it.
                    return value == null ? SchemaAndValue.NULL : value;
                };
            }
            case ENCODE_HEADER -> {
                HeaderConverter converter = configured((HeaderConverter) plugin);
                yield item -> {
                    Typed typed = (Typed) item;
                    SchemaAndValue value = typed.value();
                    return new Bytes(
                        converter.fromConnectHeader(topic, typed.name(), value.schema(), value.value()), null);
                };
            }
            case TRANSFORM -> transform(plugin);
            case PREDICATE -> predicate(plugin);
            default -> throw new IllegalArgumentException("unknown kind of case " + kind);
        };
    }

    private Step decoder(Converter converter) {
        return item -> converter.toConnectData(topic, ((Payload) item).bytes());
    }

    private Step encoder(Converter converter) {
        RegistryConverter registry = converter instanceof RegistryConverter one ? one : null;
        return item -> {
            SchemaAndValue value = ((Typed) item).value();
            return new Bytes(converter.fromConnectData(topic, value.schema(), value.value()), registry);
        };
    }

    private Converter configured(Converter converter) {
        converter.configure(settings, isKey);
        return converter;
    }

    /** As the worker does it: the type is one of the settings. */
    private HeaderConverter configured(HeaderConverter converter) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put("converter.type", "header");
        converter.configure(all);
        return converter;
    }

    @SuppressWarnings("unchecked")
    private <R extends ConnectRecord<R>> Step transform(Object plugin) {
        Transformation<R> transformation = (Transformation<R>) plugin;
        transformation.configure(settings);
        return item -> transformation.apply((R) item);
    }

    @SuppressWarnings("unchecked")
    private <R extends ConnectRecord<R>> Step chain() throws ReflectiveOperationException {
        Chain<R> chain = Chain.read(settings);
        return item -> chain.apply((R) item);
    }

    @SuppressWarnings("unchecked")
    private <R extends ConnectRecord<R>> Step predicate(Object plugin) {
        Predicate<R> predicate = (Predicate<R>) plugin;
        predicate.configure(settings);
        return item -> predicate.test((R) item);
    }
}
