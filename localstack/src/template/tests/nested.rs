//! Stacks whose template is a file beside that of the whole.

use std::path::Path;

use super::settings;
use crate::template::{Stack, TemplateError, read};

const CHILD: &str = "Parameters: {Name: {Type: String}, Sizes: {Type: CommaDelimitedList}}
Resources:
  T: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: !Ref Name}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: code/
      Events:
        E: {Type: HttpApi, Properties: {Path: /x, Method: get}}
        K: {Type: SelfManagedKafka, Properties: {KafkaBootstrapServers: ['a:1'], Topics: [t], StartingPosition: LATEST}}
  B: {Type: AWS::S3::Bucket}
Outputs:
  Arn: {Value: !GetAtt F.Arn}
  Last: {Value: !Select [1, !Ref Sizes]}
";

fn whole(parent: &str, child: &str) -> Result<Stack, TemplateError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("infra")).unwrap();
    std::fs::write(folder.path().join("infra/child.yaml"), child).unwrap();
    std::fs::write(folder.path().join("template.yaml"), parent).unwrap();
    read(&folder.path().join("template.yaml"), &settings(&[]))
}

#[test]
fn a_nested_stack_becomes_a_part_and_its_outputs_are_reached() {
    let parent = "Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: infra/child.yaml, Parameters: {Name: !Ref AWS::StackName, Sizes: [1, 2]}}
  Other:
    Type: AWS::Serverless::Application
    Properties: {Location: ./infra/child.yaml, Parameters: {Name: !GetAtt Child.Outputs.Last, Sizes: x}}
  Far: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://example.com/x.yaml'}}
  Shop: {Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: x, SemanticVersion: 1.0.0}}}
Outputs:
  Arn: {Value: !GetAtt Child.Outputs.Arn}
  Far: {Value: !GetAtt Far.Outputs.X}
";
    // The second one has one size, so that its output can't be worked out: a note, as everywhere.
    let stack = whole(parent, CHILD).unwrap();
    assert_eq!(stack.outputs["Arn"], "arn:aws:lambda:us-east-1:000000000000:function:freshet-Child-F");
    assert_eq!(stack.outputs["Far"], "local:Far.Outputs.X");
    assert_eq!(stack.tables["Child.T"].name, "freshet");
    assert_eq!(stack.tables["Other.T"].name, "2");
    let function = &stack.functions["Child.F"];
    assert_eq!((function.logical_id.as_str(), function.name.as_str()), ("Child.F", "freshet-Child-F"));
    let code = format!("{:?}", function.code);
    assert!(code.contains("infra/code/"), "{code}");
    assert_eq!(stack.http_apis["Child.ServerlessHttpApi"].routes[0].function, "Child.F");
    let mapping = &stack.mappings[0];
    assert_eq!((mapping.id.as_str(), mapping.function.as_str()), ("Child.F/K", "Child.F"));
    let noted = |resource: &str| stack.notes.iter().any(|note| note.resource == resource);
    assert!(noted("Child.B") && noted("Far") && noted("Shop") && noted("Other.Outputs"), "{:#?}", stack.notes);
}

#[test]
fn a_mistake_in_a_nested_stack_names_both_places() {
    let parent =
        "Resources:\n  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: infra/child.yaml}\n";
    let said = whole(parent, "Resources: {T: {Type: AWS::DynamoDB::Table}}").unwrap_err().to_string();
    assert!(["Child", "child.yaml", "T, property KeySchema", "HASH"].iter().all(|word| said.contains(word)), "{said}");
    let said = whole(parent, CHILD).unwrap_err().to_string();
    assert!(["Child", "parameter Name"].iter().all(|word| said.contains(word)), "{said}");
    let circle = "Resources:\n  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      \
                  TemplateURL: infra/child.yaml\n      Parameters: {Name: !GetAtt Child.Outputs.Arn}\n";
    assert!(whole(circle, CHILD).unwrap_err().to_string().contains("round to its own outputs"));
}

#[test]
fn stacks_that_nest_themselves_end() {
    let child = "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}\n  \
                 T: {Type: AWS::Serverless::SimpleTable}\n";
    let stack = whole(&child.replace("child.yaml", "infra/child.yaml"), child).unwrap();
    assert_eq!(stack.tables.len(), 6);
    assert!(stack.notes.iter().any(|note| note.message.contains("nested deeper")), "{:#?}", stack.notes);
    let many: Vec<String> = (0..200)
        .map(|index| {
            format!("  A{index}: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: child.yaml}}}}\n")
        })
        .collect();
    let many = format!("Resources:\n{}", many.concat());
    let said = whole(&many.replace("child.yaml", "infra/child.yaml"), &many).unwrap_err().to_string();
    assert!(said.contains("too long"), "{said}");
}

#[test]
fn a_template_that_is_no_file_is_left_out() {
    for place in ["/dev/zero", "/", "../nowhere.yaml"] {
        let text =
            format!("Resources: {{A: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: '{place}'}}}}}}");
        let stack = crate::template::parse(&text, Path::new("/tmp"), &settings(&[])).unwrap();
        assert!(stack.notes.iter().any(|note| note.message.contains("at most 1 MB")), "{:#?}", stack.notes);
    }
}
