import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;

/**
 * What `ProtobufConverter` does between the id of a schema and Connect.
 *
 * The mapping is our own, written from the documented one: no open library on Maven Central has it. What it stands on
 * is not ours: Square's parser reads files; protobuf-java checks them, finds types, reads and writes messages, and
 * knows presence, defaults, unknown fields and numbers without a name; Kafka Connect checks every schema and STRUCT.
 */
final class ProtobufFormat implements RegistryConverter.Format {
    private final Map<String, ProtoFile> parsed = new HashMap<>();
    /** Connect schemas by the message they were made of. */
    private final Map<Descriptor, Schema> read = new IdentityHashMap<>();
    /** The files that Connect schemas became. */
    private final Map<Schema, Writing> written = new IdentityHashMap<>();
    private ProtobufSettings settings;

    @Override
    public void configure(Map<String, ?> configuration) {
        settings = ProtobufSettings.of(configuration);
    }

    @Override
    public String canonical(String schema) {
        parsed(schema);
        return schema;
    }

    private ProtoFile parsed(String schema) {
        return parsed.computeIfAbsent(schema, ProtoFile::parse);
    }

    @Override
    public Object read(String schema, ByteBuffer body) throws IOException {
        Descriptor type = find(parsed(schema).file(), path(body));
        return DynamicMessage.parseFrom(type, CodedInputStream.newInstance(body));
    }

    /** The path of the message's type: its length and that many indexes; none is the first message. */
    private static List<Integer> path(ByteBuffer body) {
        List<Integer> path = new ArrayList<>();
        int count = ByteUtils.readVarint(body);
        for (int at = 0; at < count; at++) {
            path.add(ByteUtils.readVarint(body));
        }
        return path.isEmpty() ? List.of(0) : path;
    }

    /** Paths lead through the messages that the file writes out: those of the entries of maps are not among them. */
    private static Descriptor find(FileDescriptor file, List<Integer> path) {
        List<Descriptor> types = file.getMessageTypes();
        Descriptor found = null;
        for (int index : path) {
            found = types.get(index);
            types = found.getNestedTypes().stream().filter(type -> !type.getOptions().getMapEntry()).toList();
        }
        return found;
    }

    @Override
    public SchemaAndValue toConnect(String schema, int version, Object object) {
        Message message = (Message) object;
        Descriptor type = message.getDescriptorForType();
        Schema connect = read.get(type);
        if (connect == null) {
            connect = new ProtobufToConnect(settings, parsed(schema).params()).root(type, version);
            read.put(type, connect);
        }
        return new SchemaAndValue(connect, new ProtobufValues(settings).root(connect, message));
    }

    @Override
    public RegistryConverter.Outgoing fromConnect(Schema schema, Object value) {
        if (value == null) {
            return null;
        }
        Writing known = written.get(schema);
        if (known == null) {
            ProtobufFile file = new ProtobufFile(settings, schema);
            known = new Writing(file, new ProtobufText(file.params).of(file.definition).strip());
            written.put(schema, known);
        }
        return new Outgoing(known, new ProtobufMessages(settings, known.file()).root(schema, value));
    }

    /** A file and its text. */
    private record Writing(ProtobufFile file, String text) {
    }

    private record Outgoing(Writing known, Message message) implements RegistryConverter.Outgoing {
        @Override
        public String schema() {
            return known.text();
        }

        /** The path is that of the schema's message; messages of logical types are in no file, their path is 0. */
        @Override
        public void write(ByteArrayOutputStream body) throws IOException {
            CodedOutputStream out = CodedOutputStream.newInstance(body);
            Descriptor root = known.file().root;
            boolean isRoot = message.getDescriptorForType().getFullName().equals(root.getFullName());
            int index = isRoot ? root.getIndex() : 0;
            if (index > 0) {
                out.writeSInt32NoTag(1);
            }
            out.writeSInt32NoTag(index);
            message.writeTo(out);
            out.flush();
        }
    }
}
