package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestInventedTextSurvivesTheFunctionsOfAConfiguration(t *testing.T) {
	for _, one := range []struct {
		typeName, path, prefix string
		check                  func(string) bool
	}{
		{"aws_kms_key", "arn", "arn:aws:kms:eu-north-1:123456789012:key/", sixParts},
		{"aws_iam_role", "arn", "arn:aws:iam::123456789012:role/", sixParts},
		{"aws_s3_bucket", "arn", "arn:aws:s3:::", sixParts},
		{"aws_db_instance", "master_user_secret.secret_arn", "arn:aws:secretsmanager:", sixParts},
		{"aws_vpc", "arn", "arn:aws:ec2:", sixParts},
		{"aws_vpc", "id", "vpc-", anything},
		{"aws_region", "region", "eu-north-1", anything},
		{"aws_caller_identity", "account_id", "123456789012", anything},
		{"aws_eks_cluster", "endpoint", "https://", isURL},
		{"aws_eks_cluster", "identity.oidc.issuer", "https://", isURL},
		{"aws_eks_cluster", "certificate_authority.data", "", isBase64},
		{"google_container_cluster", "master_auth.cluster_ca_certificate", "", isBase64},
		{"aws_iam_policy_document", "json", "{", func(s string) bool { return json.Valid([]byte(s)) }},
		{"aws_db_instance", "endpoint", "", func(s string) bool { return strings.HasSuffix(s, ".amazonaws.com:5432") }},
		{"aws_ecr_repository", "repository_url", "", func(s string) bool { return !strings.Contains(s, "://") }},
		{"random", "result", "result-", anything},
	} {
		i := inventor{typeName: one.typeName, region: "eu-north-1", seed: "seed"}
		if got := i.text(one.path); !strings.HasPrefix(got, one.prefix) || !one.check(got) {
			t.Errorf("%s.%s: got %q", one.typeName, one.path, got)
		}
	}
}

func anything(string) bool   { return true }
func sixParts(s string) bool { return len(strings.SplitN(s, ":", 7)) == 6 }
func isURL(s string) bool    { u, err := url.Parse(s); return err == nil && u.Host != "" }
func isBase64(s string) bool { _, err := base64.StdEncoding.DecodeString(s); return err == nil }

func TestADataSourceAnswersTheSameQuestionTheSameWay(t *testing.T) {
	s := zooServer(t)
	kind := s.schemas.dataSources["zoo_availability_zones"].ValueType()
	question := tftypes.NewValue(kind, map[string]tftypes.Value{
		"names": tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, nil),
	})

	var answers []tftypes.Value
	for range 2 {
		answer, err := s.ReadDataSource(context.Background(), &tfprotov6.ReadDataSourceRequest{
			TypeName: "zoo_availability_zones", Config: dynamic(t, question),
		})
		if err != nil {
			t.Fatal(err)
		}
		value, err := answer.State.Unmarshal(kind)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, value)
	}

	if !answers[0].Equal(answers[1]) || answers[0].IsFullyNull() {
		t.Errorf("got %s, then %s", answers[0], answers[1])
	}
}

func TestValuesAreInventedInTheConfiguredRegion(t *testing.T) {
	s := zooServer(t)
	config := tftypes.NewValue(s.schemas.provider.ValueType(), map[string]tftypes.Value{"region": text("ap-south-2")})

	if _, err := s.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{Config: dynamic(t, config)}); err != nil {
		t.Fatal(err)
	}

	if got := s.inventor("zoo_animal", "seed").text("region"); got != "ap-south-2" {
		t.Errorf("got %q", got)
	}
}

func TestAnEphemeralResourceIsOpenedWithAnInventedValue(t *testing.T) {
	s := zooServer(t)
	kind := s.schemas.ephemerals["zoo_ticket"].ValueType()
	question := tftypes.NewValue(kind, map[string]tftypes.Value{"code": tftypes.NewValue(tftypes.String, nil)})

	answer, err := s.OpenEphemeralResource(context.Background(), &tfprotov6.OpenEphemeralResourceRequest{
		TypeName: "zoo_ticket", Config: dynamic(t, question),
	})
	if err != nil {
		t.Fatal(err)
	}

	if value, err := answer.Result.Unmarshal(kind); err != nil || value.IsFullyNull() {
		t.Errorf("got %s and error %v", value, err)
	}
}
