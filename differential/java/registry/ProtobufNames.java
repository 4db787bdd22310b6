import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** What `scrub.invalid.names` makes of names. */
final class ProtobufNames {
    private static final Pattern VALID = Pattern.compile("[A-Za-z][A-Za-z0-9_]*");

    private ProtobufNames() {
    }

    /** A name as in URLs, its marks replaced by underscores; digits and underscores do not stand in front. */
    static String scrubbed(String name) {
        if (name.isEmpty() || VALID.matcher(name).matches()) {
            return name;
        }
        String encoded = URLEncoder.encode(name, StandardCharsets.UTF_8);
        char first = encoded.charAt(0);
        String prefix = first == '_' || first >= '0' && first <= '9' ? "x" : "";
        return prefix + encoded.replaceAll("[^A-Za-z0-9_]", "_");
    }
}
