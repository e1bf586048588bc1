package main

import (
	"strings"
	"testing"
)

const zoo = `{
  "provider": {"version": 0, "block": {"attributes": {"region": {"type": "string", "optional": true}}}},
  "resource_schemas": {"zoo_animal": {"version": 1, "block": {
    "attributes": {
      "id": {"type": "string", "computed": true},
      "arn": {"type": "string", "computed": true},
      "name": {"type": "string", "required": true},
      "secret": {"type": "string", "optional": true, "write_only": true},
      "tags_all": {"type": ["map", "string"], "optional": true, "computed": true},
      "keeper": {"optional": true, "nested_type": {"nesting_mode": "single", "attributes": {
        "badge": {"type": "number", "required": true}}}}},
    "block_types": {"meal": {"nesting_mode": "list", "min_items": 1, "block": {"attributes": {
      "food": {"type": "string", "required": true},
      "calories": {"type": "number", "computed": true}}}}}}}},
  "data_source_schemas": {"zoo_availability_zones": {"version": 0, "block": {"attributes": {
    "names": {"type": ["list", "string"], "computed": true}}}}},
  "ephemeral_resource_schemas": {"zoo_ticket": {"version": 0, "block": {"attributes": {
    "code": {"type": "string", "computed": true}}}}}
}`

func zooServer(t *testing.T) *server {
	t.Helper()
	document, err := parseDocument([]byte(zoo))
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := document.schemas()
	if err != nil {
		t.Fatal(err)
	}
	return &server{schemas: schemas}
}

func TestADocumentMayHaveTheWrapperOfTheEngineOrNot(t *testing.T) {
	for name, text := range map[string]string{"bare": zoo, "wrapped": `{"provider_schemas": {"zoo": ` + zoo + `}}`} {
		document, err := parseDocument([]byte(text))
		if err != nil || len(document.Resources) != 1 {
			t.Errorf("%s: got %d resources and error %v", name, len(document.Resources), err)
		}
	}
}

func TestADocumentThatCannotBeServedIsRefused(t *testing.T) {
	attribute := func(text string) string {
		return `{"resource_schemas": {"zoo_animal": {"block": {"attributes": {"name": ` + text + `}}}}}`
	}
	for name, bad := range map[string][2]string{
		"nothing in it":         {`{}`, "no resource"},
		"not JSON":              {`{`, "unexpected end"},
		"two providers":         {`{"provider_schemas": {"a": {}, "b": {}}}`, "2 providers"},
		"an unknown type":       {attribute(`{"type": "strnig"}`), "name"},
		"an unknown nesting":    {attribute(`{"nested_type": {"nesting_mode": "heap"}}`), "heap"},
		"an unknown block mode": {`{"resource_schemas": {"zoo_animal": {"block": {"block_types": {"meal": {"nesting_mode": "heap"}}}}}}`, "heap"},
	} {
		document, err := parseDocument([]byte(bad[0]))
		if err == nil {
			_, err = document.schemas()
		}
		if err == nil || !strings.Contains(err.Error(), bad[1]) {
			t.Errorf("%s: got %v, not an error with %q", name, err, bad[1])
		}
	}
}

func TestTheProvidersNameIsReadOffTheProgramsName(t *testing.T) {
	for program, want := range map[string]string{
		"/mirror/terraform-provider-aws_v6.69.1": "aws",
		"terraform-provider-random":              "random",
		"schemaprovider":                         "",
		"terraform-provider-_v1":                 "",
	} {
		if got, err := providerName(program); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q and error %v", program, got, err)
		}
	}
}

func TestAMissingSchemaIsAnErrorThatNamesIt(t *testing.T) {
	for dir, want := range map[string]string{"": schemaDirVariable, t.TempDir(): "zoo.json"} {
		if err := run("terraform-provider-zoo_v1", dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, not an error with %q", dir, err, want)
		}
	}
}
