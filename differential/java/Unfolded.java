import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;

/** Whether two STRUCTs have the same fields, all the way down, also when they contain themselves. */
final class Unfolded {
    /** Pairs that are being compared: they are the same unless something else tells them apart. */
    private final List<Schema[]> assumed = new ArrayList<>();

    private Unfolded() {
    }

    static boolean sameFields(Schema one, Schema other) {
        return one == other || new Unfolded().fields(one, other);
    }

    private boolean fields(Schema one, Schema other) {
        for (Schema[] pair : assumed) {
            if (pair[0] == one && pair[1] == other) {
                return true;
            }
        }
        assumed.add(new Schema[] {one, other});
        List<Field> fields = one.fields();
        List<Field> others = other.fields();
        if (fields.size() != others.size()) {
            return false;
        }
        for (int at = 0; at < fields.size(); at++) {
            Field field = fields.get(at);
            Field match = others.get(at);
            if (!field.name().equals(match.name()) || !same(field.schema(), match.schema())) {
                return false;
            }
        }
        return true;
    }

    private boolean same(Schema one, Schema other) {
        if (one == other || one == null || other == null) {
            return one == other;
        }
        boolean attributes = one.type() == other.type()
            && one.isOptional() == other.isOptional()
            && Objects.equals(one.name(), other.name())
            && Objects.equals(one.version(), other.version())
            && Objects.equals(one.doc(), other.doc())
            && Objects.equals(one.parameters(), other.parameters())
            && Objects.deepEquals(one.defaultValue(), other.defaultValue());
        return attributes && switch (one.type()) {
            case ARRAY -> same(one.valueSchema(), other.valueSchema());
            case MAP ->
                same(one.keySchema(), other.keySchema()) && same(one.valueSchema(), other.valueSchema());
            case STRUCT -> fields(one, other);
            default -> true;
        };
    }
}
